#include "core/watch/early_divergence.h"

#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

std::vector<FlagChange> Changes(int points, const std::function<double(int)>& loss) {
  EarlyDivergence early("loss");
  std::vector<FlagChange> changes;
  for (int i = 1; i <= points; ++i) early.Add(10 * i, std::log(loss(i)), changes);
  return changes;
}

TEST(EarlyDivergenceTest, ALossThatBlowsUpIsCriticalAtItsThirdPoint) {
  testing::Dice dice(1);
  const auto changes =
      Changes(26, [&](int i) { return (i < 15 ? 10 * std::pow(i, -0.2) : 16) * (1 + 0.01 * dice.Normal()); });
  ASSERT_EQ(changes.size(), 1u);
  const Flag& flag = changes[0].flag;
  EXPECT_EQ(flag.kind, FlagKind::kDivergence);
  EXPECT_EQ(flag.severity, Severity::kCritical);
  EXPECT_EQ(flag.began_step, 150);
  EXPECT_EQ(flag.raised_step, 170);
  EXPECT_GT(flag.evidence.statistic, flag.evidence.threshold);
  EXPECT_NEAR(flag.evidence.expected, 5.95, 0.2);
  EXPECT_NEAR(flag.evidence.seen, 16, 1);
}

TEST(EarlyDivergenceTest, ARunThatBlowsUpWithItsFirstStepIsFlaggedToo) {
  testing::Dice dice(2);
  const auto changes = Changes(30, [&](int i) { return i == 1 ? 0.72 : 3.7 * std::exp(0.05 * dice.Normal()); });
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].flag.began_step, 20);
  EXPECT_EQ(changes[0].flag.raised_step, 120);
}

TEST(EarlyDivergenceTest, WhatComesBackIsOver) {
  const auto changes = Changes(40, [](int i) { return i < 12 || i >= 20 ? 4 + 0.01 * (i % 2) : 6.0; });
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].what, FlagChange::What::kResolved);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_GT(changes[1].flag.updated_step, 200);
  EXPECT_LE(changes[1].flag.updated_step, 250);
}

TEST(EarlyDivergenceTest, TwoPointsAreASpikesBusiness) {
  EXPECT_TRUE(Changes(40, [](int i) { return i == 15 || i == 16 ? 8.0 : 4 + 0.01 * (i % 2); }).empty());
}

TEST(EarlyDivergenceTest, NoiseThatSwingsByMoreIsNone) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    testing::Dice dice(seed);
    const double noise = 0.002 * static_cast<double>(1 + seed % 100);
    EXPECT_TRUE(Changes(300, [&](int i) { return 8 * std::pow(i, -0.1) * std::exp(noise * dice.Normal()); }).empty())
        << seed;
  }
}

TEST(EarlyDivergenceTest, ALongFallAndALevelAreNone) {
  EXPECT_TRUE(Changes(300, [](int i) { return 10 / std::sqrt(i); }).empty());
  EXPECT_TRUE(Changes(300, [](int) { return 0.693; }).empty());
}

TEST(EarlyDivergenceTest, ARewindTakesItBackAndBeginsAnew) {
  EarlyDivergence early("loss");
  std::vector<FlagChange> changes;
  for (int i = 1; i <= 20; ++i) early.Add(i, i < 15 ? 1 + 0.01 * (i % 2) : 2, changes);
  ASSERT_TRUE(early.flag().up());
  early.Supersede(12, changes);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kSuperseded);
  for (int i = 12; i <= 60; ++i) early.Add(i, 1.5 + 0.01 * (i % 2), changes);  // Higher than what is no more.
  EXPECT_EQ(changes.size(), 2u);
}

TEST(EarlyDivergenceTest, ARewindBehindTheFlagLeavesItUpUntilTheLossIsBack) {
  EarlyDivergence early("loss");
  std::vector<FlagChange> changes;
  for (int i = 1; i <= 30; ++i) early.Add(i, i < 15 ? 1 + 0.01 * (i % 2) : 2, changes);
  early.Supersede(25, changes);
  for (int i = 25; i <= 40; ++i) early.Add(i, 2 + 0.01 * (i % 2), changes);
  EXPECT_TRUE(early.flag().up());
  EXPECT_EQ(changes.size(), 1u);
  for (int i = 41; i <= 60; ++i) early.Add(i, 1 + 0.01 * (i % 2), changes);
  EXPECT_FALSE(early.flag().up());
}

}  // namespace
}  // namespace curvecast
