#include "core/watch/start_check.h"

#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

// Points of a run of 1000, or of one without a plan.
std::vector<FlagChange> Changes(int points, bool planned, const std::function<double(int)>& loss) {
  StartCheck check("loss");
  std::vector<FlagChange> changes;
  for (int i = 1; i <= points; ++i) {
    check.Add(i, loss(i), planned ? std::optional<double>(i / 1000.0) : std::nullopt, changes);
  }
  return changes;
}

TEST(StartCheckTest, ALossThatStaysWhereItBeganIsFlaggedAtATenthOfThePlan) {
  testing::Dice dice(1);
  const auto changes = Changes(1000, true, [&](int) { return 10.8 + 0.02 * dice.Normal(); });
  ASSERT_EQ(changes.size(), 1u);
  const Flag& flag = changes[0].flag;
  EXPECT_EQ(flag.kind, FlagKind::kStuckAtStart);
  EXPECT_EQ(flag.began_step, 1);
  EXPECT_GE(flag.raised_step, 100);
  EXPECT_LE(flag.raised_step, 130);
  EXPECT_GE(flag.evidence.statistic, flag.evidence.threshold);
  EXPECT_NEAR(flag.evidence.seen, 10.8, 0.1);
}

TEST(StartCheckTest, WithoutAPlanItTakesSomeHundredPoints) {
  const auto changes = Changes(1000, false, [](int) { return 0.693; });
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_GE(changes[0].flag.raised_step, 100);
  EXPECT_LE(changes[0].flag.raised_step, 400);
}

TEST(StartCheckTest, ALossThatFallsIsNot) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    testing::Dice dice(seed);
    const double noise = 0.003 * static_cast<double>(1 + seed % 40);
    EXPECT_TRUE(
        Changes(1000, true, [&](int i) { return 5 * std::pow(i, -0.1) * (1 + noise * dice.Normal()); }).empty());
  }
}

TEST(StartCheckTest, ALossThatRisesIsAnothersBusiness) {
  EXPECT_TRUE(Changes(1000, true, [](int i) { return 5 + 0.01 * i; }).empty());
}

TEST(StartCheckTest, OnceItFallsItIsOver) {
  const auto changes = Changes(1000, true, [](int i) { return i < 300 ? 5.0 : 5 - 0.01 * (i - 300); });
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].what, FlagChange::What::kResolved);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_GT(changes[1].flag.updated_step, 300);
  EXPECT_LT(changes[1].flag.updated_step, 350);
}

TEST(StartCheckTest, AFewPointsAreTooFewHoweverFarTheRunIs) {
  StartCheck check("loss");
  std::vector<FlagChange> changes;
  for (int i = 1; i < 24; ++i) check.Add(i, 5, 0.9, changes);
  EXPECT_TRUE(changes.empty());
  check.Add(24, 5, 0.9, changes);
  EXPECT_EQ(changes.size(), 1u);
}

}  // namespace
}  // namespace curvecast
