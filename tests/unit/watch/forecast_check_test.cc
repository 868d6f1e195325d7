#include "core/watch/forecast_check.h"

#include <vector>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

using What = FlagChange::What;

// A forecast at this per cent of 10,000 steps.
Forecast At(int percent, double median) {
  Forecast f;
  f.reason = NotYet::kAnswered;
  f.step = percent * 100;
  f.progress = percent / 100.0;
  f.quantiles = {median - 0.05, median - 0.02, median, median + 0.02, median + 0.05};
  f.expected_value = median + 0.5;
  return f;
}

class ForecastCheckTest : public ::testing::Test {
 protected:
  void Take(int percent, double median) { check_.Take(At(percent, median), false, changes_); }
  void TakeSame(int from, int to, double median) {
    for (int percent = from; percent < to; ++percent) Take(percent, median);
  }
  ForecastCheck check_{"loss", false};
  std::vector<FlagChange> changes_;
};

TEST_F(ForecastCheckTest, AnEndThatStaysIsNoNews) {
  TakeSame(1, 100, 2.5);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ForecastCheckTest, AnEndThatWandersWithinItsIntervalIsNone) {
  for (int percent = 1; percent < 100; ++percent) Take(percent, 2.5 + 0.05 * (percent % 2));
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ForecastCheckTest, AnEndFarAboveIsOffLawAtTheSecondForecastThatSaysSo) {
  TakeSame(1, 40, 2.5);
  Take(40, 2.7);
  EXPECT_TRUE(changes_.empty());
  Take(41, 2.7);
  ASSERT_EQ(changes_.size(), 1u);
  const Flag& flag = changes_[0].flag;
  EXPECT_EQ(flag.kind, FlagKind::kOffLaw);
  EXPECT_EQ(flag.severity, Severity::kWarning);
  EXPECT_EQ(flag.began_step, 4000);
  EXPECT_EQ(flag.raised_step, 4100);
  EXPECT_NEAR(flag.evidence.statistic, 0.2 / (0.05 / 1.6449), 1e-6);
  EXPECT_EQ(flag.evidence.threshold, ForecastCheck::kOff);
  EXPECT_EQ(flag.evidence.expected, 2.5);
  EXPECT_EQ(flag.evidence.seen, 2.7);
  TakeSame(42, 60, 2.7);
  EXPECT_EQ(changes_.size(), 1u);
  TakeSame(60, 70, 2.5);
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[1].flag.resolution, Resolution::kRecovered);
  EXPECT_EQ(changes_[1].flag.updated_step, 6100);
}

TEST_F(ForecastCheckTest, ABetterEndIsNoNews) {
  TakeSame(1, 40, 2.5);
  TakeSame(40, 60, 2.0);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ForecastCheckTest, AnObjectiveThatIsMaximisedIsWorseBelow) {
  ForecastCheck check("accuracy", true);
  for (int percent = 1; percent < 40; ++percent) check.Take(At(percent, 0.7), false, changes_);
  for (int percent = 40; percent < 45; ++percent) check.Take(At(percent, 0.9), false, changes_);
  EXPECT_TRUE(changes_.empty());
  for (int percent = 45; percent < 60; ++percent) check.Take(At(percent, 0.5), false, changes_);
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].flag.kind, FlagKind::kOffLaw);
}

TEST_F(ForecastCheckTest, WhatTheCurvesOwnFlagExplainsIsNoNewsWhileItIsUp) {
  TakeSame(1, 40, 2.5);
  for (int percent = 40; percent < 50; ++percent) check_.Take(At(percent, 2.8), true, changes_);
  EXPECT_TRUE(changes_.empty());
  Take(50, 2.8);
  EXPECT_EQ(changes_.size(), 1u) << "but it is, once that is down";
}

TEST_F(ForecastCheckTest, NoForecastIsNeitherGoodNorBad) {
  TakeSame(1, 40, 2.5);
  Forecast none;
  none.step = 4000;
  for (int i = 0; i < 10; ++i) check_.Take(none, false, changes_);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(ForecastCheckTest, ACurveFarFromItsFinishedRelativesIsOffFamily) {
  const auto take = [&](int percent, double deviation, int relatives) {
    Forecast f = At(percent, 2.5);
    f.leaned.relatives = relatives;
    f.leaned.deviation = deviation;
    f.leaned.expected = 2.8;
    check_.Take(f, false, changes_);
  };
  for (int percent = 10; percent < 30; ++percent) take(percent, 1, 5);
  for (int percent = 30; percent < 32; ++percent) take(percent, 9, 0);
  EXPECT_TRUE(changes_.empty()) << "without relatives there is no deviation";
  for (int percent = 32; percent < 34; ++percent) take(percent, -9, 5);
  EXPECT_TRUE(changes_.empty()) << "better than they";
  take(34, 5, 5);
  take(35, 5, 5);
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].flag.kind, FlagKind::kOffFamily);
  EXPECT_EQ(changes_[0].flag.evidence.expected, 2.8);
  take(36, 1, 5);
  take(37, 1, 5);
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[1].what, What::kResolved);
}

TEST_F(ForecastCheckTest, ARewindTakesItAway) {
  TakeSame(1, 40, 2.5);
  TakeSame(40, 42, 2.7);
  ASSERT_EQ(changes_.size(), 1u);
  check_.Supersede(3000, changes_);
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[1].flag.resolution, Resolution::kSuperseded);
  TakeSame(30, 50, 2.5);
  EXPECT_EQ(changes_.size(), 2u);
}

}  // namespace
}  // namespace curvecast
