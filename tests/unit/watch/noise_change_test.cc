#include "core/watch/noise_change.h"

#include <cmath>
#include <optional>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

const double kThreshold = std::log(1e6);

// Points of this scatter until it is found, at most so many.
std::optional<NoiseChange::Finding> Until(NoiseChange& test, double scatter, int most, testing::Dice& dice) {
  for (int i = 0; i < most; ++i) {
    if (auto found = test.Add(scatter * dice.Normal(), kThreshold)) return found;
  }
  return std::nullopt;
}

TEST(NoiseChangeTest, TwiceAndHalfTheScatterAreFound) {
  for (const double scatter : {2.0, 0.5, 3.0, 0.25}) {
    testing::Dice dice(1);
    NoiseChange test;
    ASSERT_FALSE(Until(test, 1, 1000, dice).has_value());
    const auto found = Until(test, scatter, 200, dice);
    ASSERT_TRUE(found.has_value()) << scatter;
    EXPECT_EQ(found->more, scatter > 1);
    EXPECT_GE(found->statistic, kThreshold);
    EXPECT_LE(found->points, 200);
    if (scatter > 2) continue;  // Its squares are clipped.
    EXPECT_NEAR(found->factor / scatter, 1, 0.35) << scatter;
  }
}

TEST(NoiseChangeTest, OneOutlierIsNoChange) {
  NoiseChange test;
  EXPECT_FALSE(test.Add(1000, kThreshold).has_value());
  EXPECT_FALSE(test.Add(1000, kThreshold).has_value());
}

TEST(NoiseChangeTest, OnNoiseItsAlarmsAreNoMoreThanDeclared) {
  NoiseChange test;
  testing::Dice dice(2);
  constexpr int kPoints = 1'000'000;
  int alarms = 0;
  for (int i = 0; i < kPoints; ++i) alarms += test.Add(dice.Normal(), std::log(1000.0)).has_value();
  EXPECT_LE(alarms, kPoints / 1000);
}

TEST(NoiseChangeTest, WhatWasFoundIsDoneWith) {
  testing::Dice dice(3);
  NoiseChange test;
  ASSERT_TRUE(Until(test, 2, 200, dice).has_value());
  EXPECT_FALSE(Until(test, 1, 1000, dice).has_value());
  Until(test, 2, 10, dice);
  test.Clear();
  NoiseChange fresh;
  testing::Dice one(5), two(5);
  const auto a = Until(test, 2, 200, one), b = Until(fresh, 2, 200, two);
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_EQ(a->statistic, b->statistic);
}

}  // namespace
}  // namespace curvecast
