#include "client/cli/flags/flag_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/client/flags.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000;  // 2023-11-14 22:13:20 UTC.

TEST(FlagViewTest, AFlagSaysSinceWhenAndWhatBecameOfIt) {
  const v1::Flag flag = FlagOf(3, v1::Flag::SPIKE, v1::Flag::WARNING, 1200);
  EXPECT_EQ(FlagText(flag, kNow), "#3 SPIKE WARNING since step 1200: train/loss is 2.31 where 2.05 is expected");
  EXPECT_EQ(FlagText(Resolved(flag, v1::Flag::RECOVERED, 1240), kNow),
            "#3 SPIKE WARNING step 1200, resolved at 1240: train/loss is 2.31 where 2.05 is expected");
  EXPECT_THAT(FlagText(Resolved(flag, v1::Flag::SUPERSEDED, 1240), kNow),
              HasSubstr("step 1200, resolved at 1240 (superseded): "));
}

TEST(FlagViewTest, WhatPeopleSaidStandsBehindAndCannotCommandTheTerminal) {
  v1::Flag flag = FlagOf(3, v1::Flag::SPIKE, v1::Flag::WARNING, 1200);
  flag.mutable_acknowledged_at()->set_seconds(kNow - 60);
  flag.set_acknowledged_by("ada");
  flag.set_note("looks\x1b[2J fine");
  EXPECT_THAT(FlagText(flag, kNow), HasSubstr("expected [acknowledged by ada: looks?[2J fine]"));
  EXPECT_FALSE(IsShown(flag, kNow));
}

TEST(FlagViewTest, ASilenceHoldsUntilItsTime) {
  v1::Flag flag = FlagOf(3, v1::Flag::DRIFT, v1::Flag::WARNING, 1200);
  flag.mutable_silenced_until()->set_seconds(kNow + 7200);
  flag.set_silenced_by("ada");
  EXPECT_EQ(FlagNote(flag, kNow), "silenced by ada until 2023-11-15 00:13:20 UTC");
  EXPECT_FALSE(IsShown(flag, kNow));
  EXPECT_EQ(FlagNote(flag, kNow + 7200), "");
  EXPECT_TRUE(IsShown(flag, kNow + 7200));
}

TEST(FlagViewTest, ARunShowsItsGravestFlagsFirstAndTheOthersApart) {
  v1::GetRunResponse run;
  *run.add_flags() = Resolved(FlagOf(1, v1::Flag::SPIKE, v1::Flag::WARNING, 100), v1::Flag::RECOVERED, 110);
  *run.add_flags() = FlagOf(2, v1::Flag::DRIFT, v1::Flag::WARNING, 200);
  *run.add_flags() = FlagOf(3, v1::Flag::DIVERGENCE, v1::Flag::CRITICAL, 300);
  const ViewStyle style = {0, 0, true, kNow};
  EXPECT_EQ(ShownFlagsText(run, style),
            "  FLAG        #3 DIVERGENCE CRITICAL since step 300: train/loss is 2.31 where 2.05 is expected\n"
            "  FLAG        #2 DRIFT WARNING since step 200: train/loss is 2.31 where 2.05 is expected\n");
  EXPECT_EQ(OtherFlagsText(run, style),
            "\nFlags that are over, or that were seen:\n"
            "  #1 SPIKE WARNING step 100, resolved at 110: train/loss is 2.31 where 2.05 is expected\n");
  EXPECT_EQ(OtherFlagsText({}, style), "");
}

TEST(FlagViewTest, AListOfRunsNamesTheGravestAndCountsTheRest) {
  v1::RunSummary run;
  EXPECT_EQ(FlagsCell(run), "");
  *run.add_flags() = FlagOf(3, v1::Flag::DIVERGENCE, v1::Flag::CRITICAL, 300);
  EXPECT_EQ(FlagsCell(run), "DIVERGENCE");
  *run.add_flags() = FlagOf(2, v1::Flag::DRIFT, v1::Flag::WARNING, 200);
  EXPECT_EQ(FlagsCell(run), "DIVERGENCE +1");
}

TEST(FlagViewTest, TheTableHasARowForEachFlag) {
  v1::RunFlag row;
  row.set_project("demo");
  row.set_run_id("a");
  *row.mutable_flag() = FlagOf(1, v1::Flag::SPIKE, v1::Flag::WARNING, 100);
  v1::RunFlag newer = row;
  newer.mutable_flag()->set_kind(static_cast<v1::Flag::Kind>(99));
  EXPECT_EQ(FlagTableText({row, newer}, {0, 0, true, kNow}),
            "project  run  #  kind     severity  step  state   what\n"
            "demo     a    1  SPIKE    warning    100  active  train/loss is 2.31 where 2.05 is expected\n"
            "demo     a    1  KIND_99  warning    100  active  train/loss is 2.31 where 2.05 is expected\n");
  EXPECT_EQ(FlagTableText({}, {}), "no flags\n");
}

}  // namespace
}  // namespace curvecast
