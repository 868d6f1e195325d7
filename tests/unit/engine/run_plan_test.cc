#include "core/engine/run_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

double Cosine(double step) { return 1e-3 * (0.5 + 0.5 * std::cos(M_PI * step / 1000)); }

RateLog Logged(Step last, double scale = 1, Step every = 5) {
  RateLog log{"train/lr", {}};
  for (Step step = every; step <= last; step += every) log.curve.Add(step, scale * Cosine(static_cast<double>(step)));
  return log;
}

TEST(RunPlanTest, WhereNoneIsDeclaredTheLoggedRatesAreTheSchedule) {
  const RunPlan run = PlanRun(testing::Spec(), 500, Logged(500));
  ASSERT_TRUE(run.plan.schedule.has_value());
  for (double step = 1; step <= 1000; ++step) {
    ASSERT_NEAR(run.plan.schedule->RelativeRate(step), Cosine(step) / 1e-3, 1e-3) << step;
  }
  EXPECT_EQ(run.inferred_words, "train/lr: cosine, 0.001 to 0");
}

TEST(RunPlanTest, WhatIsDeclaredIsTakenAtItsWord) {
  RunSpec spec = testing::Spec();
  spec.schedule = ScheduleSpec{.peak_lr = 1};
  const RunPlan run = PlanRun(spec, 500, Logged(500));
  EXPECT_TRUE(run.plan.schedule->constant());
  EXPECT_FALSE(run.inferred.has_value());
  EXPECT_EQ(run.inferred_words, "");
}

TEST(RunPlanTest, ARateThatIsFlatSoFarLeavesTheScheduleUnknown) {
  RateLog flat{"lr", {}};
  for (Step step = 1; step <= 500; ++step) flat.curve.Add(step, 0.1);
  const RunPlan run = PlanRun(testing::Spec(), 500, flat);
  EXPECT_FALSE(run.plan.schedule.has_value());
  EXPECT_THAT(run.inferred_words, HasSubstr("lr: constant at 0.1 so far"));
}

TEST(RunPlanTest, RatesThatAreCountedInAnotherUnitAreNotUsed) {
  for (const Step newest : {60, 5000}) {
    const RunPlan run = PlanRun(testing::Spec(), newest, Logged(500));
    EXPECT_FALSE(run.plan.schedule.has_value());
    EXPECT_EQ(run.inferred_words, "train/lr: its steps are not those of train/loss");
  }
}

TEST(RunPlanTest, TheForecastIsThatOfTheSameScheduleDeclared) {
  RunSpec declared = testing::Spec();
  declared.schedule = ScheduleSpec{.peak_lr = 1e-3, .decay = Decay::kCosine};
  Curve losses;
  for (Step step = 1; step <= 500; ++step) losses.Add(step, 2 + 3 * std::pow(static_cast<double>(step), -0.5));
  const Forecast one = ForecastEnd(losses, PlanRun(declared, 500, {}).plan, Prior::Shipped());
  const Forecast other = ForecastEnd(losses, PlanRun(testing::Spec(), 500, Logged(500)).plan, Prior::Shipped());
  const Forecast neither = ForecastEnd(losses, PlanRun(testing::Spec(), 500, {}).plan, Prior::Shipped());
  for (size_t q = 0; q < one.quantiles.size(); ++q) EXPECT_NEAR(other.quantiles[q], one.quantiles[q], 1e-3);
  EXPECT_GT(std::fabs(neither.quantiles[0] - one.quantiles[0]), 1e-2) << "so that the above says something";
}

}  // namespace
}  // namespace curvecast
