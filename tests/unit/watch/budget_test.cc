#include "core/watch/budget.h"

#include "gtest/gtest.h"

namespace curvecast {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

TEST(BudgetTest, TheSharesAreTheWhole) {
  EXPECT_NEAR(
      BudgetShares::kSpike + BudgetShares::kAbove + BudgetShares::kBelow + BudgetShares::kNoise + BudgetShares::kBeside,
      1, 1e-12);
}

TEST(BudgetTest, WithoutTimesItIsWhatWasAskedInPoints) {
  Budget budget(1, 1e6);
  for (int i = 0; i < 1000; ++i) budget.Arrived(0, 1);
  EXPECT_EQ(budget.MeanPoints(), 1e6);
}

TEST(BudgetTest, WithTimesItIsTheRunsOwnPace) {
  Budget budget(1, 1e6);
  for (int i = 0; i <= 1000; ++i) budget.Arrived(kStart + i * 10 * kSecond, 1);
  EXPECT_NEAR(budget.MeanPoints() / (8640 * 1000), 1, 1e-3) << "8640 points a day, one alarm in 1000 days";
  Budget twice(2, 1e6);
  for (int i = 0; i <= 1000; ++i) twice.Arrived(kStart + i * 10 * kSecond, 1);
  EXPECT_NEAR(twice.MeanPoints() / (8640 * 500), 1, 1e-3);
}

TEST(BudgetTest, APaceIsBelievedAfterAMinute) {
  Budget budget(1, 1e6);
  for (int i = 0; i < 60; ++i) budget.Arrived(kStart + i * kSecond, 1);
  EXPECT_EQ(budget.MeanPoints(), 1e6);
  budget.Arrived(kStart + 60 * kSecond, 1);
  EXPECT_NEAR(budget.MeanPoints() / (86400.0 * 1000), 1, 0.01);
}

TEST(BudgetTest, AnImportHasNoPaceOfItsOwn) {
  Budget budget(1, 1e6);
  for (int i = 0; i < 100; ++i) budget.Arrived(kStart + i * kSecond, 10'000);
  EXPECT_EQ(budget.MeanPoints(), 1e6);
}

TEST(BudgetTest, ItKeepsWithinBounds) {
  EXPECT_EQ(Budget(1, 1).MeanPoints(), Budget::kFewest);
  EXPECT_EQ(Budget(1, 1e30).MeanPoints(), Budget::kMost);
  Budget none(0, 1e6);
  for (int i = 0; i <= 100; ++i) none.Arrived(kStart + i * kSecond, 1);
  EXPECT_EQ(none.MeanPoints(), Budget::kMost) << "no false alarm at all";
}

TEST(BudgetTest, AClockThatGoesBackIsNoTrouble) {
  Budget budget(1, 1e6);
  for (int i = 0; i <= 200; ++i) budget.Arrived(kStart + (i % 2 == 0 ? i : -i) * kSecond, 1);
  EXPECT_GE(budget.MeanPoints(), Budget::kFewest);
  EXPECT_LE(budget.MeanPoints(), Budget::kMost);
}

}  // namespace
}  // namespace curvecast
