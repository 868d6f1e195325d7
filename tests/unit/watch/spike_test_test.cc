#include "core/watch/spike_test.h"

#include <cmath>
#include <optional>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

SpikeTest OnceIn(double mean_points) {
  SpikeTest test;
  test.SetMeanPoints(mean_points, Tail());
  return test;
}

TEST(SpikeTestTest, OnePointFarAboveIsASpike) {
  SpikeTest test = OnceIn(1e6);
  for (const double z : {0.5, -1.0, 2.0, -0.3}) EXPECT_FALSE(test.Add(z, 0).has_value());
  const std::optional<SpikeTest::Finding> found = test.Add(8, 0);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->points_ago, 0);
  EXPECT_NEAR(found->statistic, 8, 1e-12);
  EXPECT_GE(found->statistic, found->threshold);
  EXPECT_GT(found->threshold, 4.7);
}

TEST(SpikeTestTest, APointFarBelowIsNone) {
  SpikeTest test = OnceIn(1e6);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(test.Add(-20, 0).has_value());
}

TEST(SpikeTestTest, OneThatHalvesIsFoundByWhatFollowsIt) {
  SpikeTest test = OnceIn(1e6);
  for (int i = 0; i < 5; ++i) test.Add(0, 0);
  EXPECT_FALSE(test.Add(4.8, 0).has_value()) << "too little by itself";
  const std::optional<SpikeTest::Finding> found = test.Add(3.2, 0);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->points_ago, 1);
}

TEST(SpikeTestTest, PointsThatLieALittleHighAreNone) {
  SpikeTest test = OnceIn(1e6);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(test.Add(2.4, 0).has_value());
}

// Whitened, a spike of one point is followed by a fall by rho: both speak for it.
TEST(SpikeTestTest, WhatTheWhiteningLeavesOfASpikeCountsForIt) {
  SpikeTest plain = OnceIn(1e6), whitened = OnceIn(1e6);
  plain.Add(4.9, 0.0);
  whitened.Add(4.9, 0.5);
  EXPECT_FALSE(plain.Add(-2.45, 0.0).has_value());
  const std::optional<SpikeTest::Finding> found = whitened.Add(-2.45, 0.5);
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(found->statistic, 4.9 * std::sqrt(1.25), 1e-9);
  EXPECT_EQ(found->points_ago, 1);
}

TEST(SpikeTestTest, ClearedItHasNoPast) {
  SpikeTest test = OnceIn(1e6);
  test.Add(4.8, 0);
  test.Clear();
  EXPECT_FALSE(test.Add(3.2, 0).has_value());
}

TEST(SpikeTestTest, OnNoiseItsAlarmsAreNoMoreThanDeclared) {
  for (const double correlation : {0.0, 0.5}) {
    SpikeTest test = OnceIn(2000);
    testing::Dice dice(4);
    constexpr int kPoints = 1'000'000;
    int alarms = 0;
    for (int i = 0; i < kPoints; ++i) {
      if (!test.Add(dice.Normal(), correlation)) continue;
      ++alarms;
      test.Clear();
    }
    EXPECT_LE(alarms, kPoints / 2000) << correlation;
    EXPECT_GE(alarms, kPoints / 2000 / 4) << correlation;
  }
}

}  // namespace
}  // namespace curvecast
