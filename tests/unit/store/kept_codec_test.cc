// A curve that is kept comes back to the bit, and what no run can have been is refused with its field.

#include "daemon/store/kept_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/engine/engine.h"
#include "daemon/store/event_codec.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// With everything that a run can be made of.
Event Kept() {
  Engine engine;
  for (const Event& event : FinishedRun(4)) EXPECT_TRUE(engine.Apply(event).ok());
  Event kept{7, FinishedRunKey(), engine.Find(FinishedRunKey())->Keep()};
  auto& body = std::get<CurveKept>(kept.body);
  Curve odd;
  for (Step step = 0; step < 1000; ++step) odd.Add(step, step % 7 == 3 ? kNan : 1.0 / static_cast<double>(step + 1));
  odd.Add(kMaxStep, kNan);
  body.series.push_back({"zz/odd", "rank1", odd});
  body.series.push_back({"zz/empty", "", Curve()});
  body.writers.push_back({"rank1", 3, 9, true, 81});
  body.branches.push_back({40, odd.bins()});
  body.rewinds = {40};
  body.rewind_count = 17;
  body.reopened = true;
  body.phase = Phase{"eval", 60};
  body.phase_began_at = 5;
  body.settles = true;
  body.batches = 12;
  body.points = 3400;
  body.replaced = {{2, 2}, {4, 9}, {11, 11}};
  return kept;
}

TEST(KeptCodecTest, GivesBackWhatWasKept) {
  const Event event = Kept();
  const std::string bytes = EncodeEvent(event);
  EXPECT_TRUE(HoldsCurveKept(bytes));
  const absl::StatusOr<Event> decoded = DecodeEvent(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const auto& kept = std::get<CurveKept>(decoded->body);
  EXPECT_EQ(EncodeEvent(*decoded), bytes) << "the same event has the same bytes";
  EXPECT_THAT(kept.replaced, ElementsAre(CurveKept::Rows{2, 2}, CurveKept::Rows{4, 9}, CurveKept::Rows{11, 11}));
  EXPECT_EQ(kept.phase, (Phase{"eval", 60}));
  EXPECT_EQ(kept.series.size(), 3);
  const Curve& odd = kept.series[1].curve;
  EXPECT_EQ(odd.last_step(), kMaxStep);
  EXPECT_TRUE(std::isnan(odd.last_value()));
  EXPECT_EQ(odd.non_finite_points(), 144);
  EXPECT_EQ(odd.points() + odd.non_finite_points(), 1001);
  EXPECT_TRUE(kept.series[2].curve.empty());
}

TEST(KeptCodecTest, KnowsTheKindOfAnEventByItsBytes) {
  for (const Event& event : EventsOfEveryKind()) EXPECT_FALSE(HoldsCurveKept(EncodeEvent(event)));
  EXPECT_FALSE(HoldsCurveKept(""));
  EXPECT_FALSE(HoldsCurveKept("\xff\xff\xff"));
}

TEST(KeptCodecTest, WhatNoRunCanHaveBeenIsDamageWithTheFieldNamed) {
  const auto refusal = [](auto break_it) {
    v1::CurveKept proto;
    Fill(std::get<CurveKept>(Kept().body), proto);
    break_it(proto);
    const absl::Status status = Read(proto).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  };
  using Kept = v1::CurveKept;
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->mutable_bins()->add_mean(1); }), HasSubstr("series: "));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->mutable_bins()->set_count(1, 0); }), HasSubstr("series: "));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->mutable_bins()->set_mean(1, kNan); }), HasSubstr("series: "));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->mutable_bins()->set_first_step(1, -1); }),
              HasSubstr("series"));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->clear_last_step(); }), HasSubstr("no curve has such bins"));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_series(0)->set_metric("a b"); }), HasSubstr("series.metric: "));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_branches(0)->mutable_bins()->add_steps(1); }), HasSubstr("branches: "));
  EXPECT_THAT(refusal([](Kept& k) { k.set_state(v1::Run::STATE_UNSPECIFIED); }), HasSubstr("state: "));
  EXPECT_THAT(refusal([](Kept& k) { k.mutable_phase()->set_max_seconds(-1); }), HasSubstr("phase."));
  EXPECT_THAT(refusal([](Kept& k) { k.set_rows_replaced(0, 0); }), HasSubstr("rows_replaced: "));
  EXPECT_THAT(refusal([](Kept& k) { k.add_rows_skipped(1); }), HasSubstr("rows_replaced: "));
}

}  // namespace
}  // namespace curvecast
