#include "core/law/features.h"

#include <cmath>
#include <limits>

#include "core/law/observation.h"
#include "core/law/traits.h"
#include "gtest/gtest.h"
#include "tests/unit/law/synthetic.h"

namespace curvecast {
namespace {

std::vector<FeatureRow> At(const Plan& plan, const std::vector<double>& steps) {
  const RunClock clock(plan, 0);
  std::vector<Place> places;
  for (double step : steps) places.push_back({clock.Share(step), clock.Rate(step)});
  return Features(clock, places);
}

TEST(FeaturesTest, AllAreZeroAtTheEnd) {
  for (const Decay decay : {Decay::kNone, Decay::kCosine, Decay::kLinear, Decay::kOneMinusSqrt}) {
    FeatureRow end = At(testing::DecayingPlan(1000, decay, 50), {1000})[0];
    EXPECT_EQ(end(0), 1);
    end(0) = 0;
    EXPECT_LT(end.norm(), 1e-12);
  }
  EXPECT_LT(At(testing::PlainPlan(1000), {1000})[0].tail<kFeatures>().norm(), 1e-12);
}

TEST(FeaturesTest, ThePowersAreThoseOfTheShareSpent) {
  const FeatureRow row = At(testing::PlainPlan(1000), {250})[0];
  for (const auto& [k, a] : {std::pair{1, 0.05}, {2, 0.4}, {3, 0.8}}) {
    EXPECT_NEAR(row(k), (std::pow(0.25, -a) - 1) / a, 1e-12);
  }
}

TEST(FeaturesTest, TheHingesReachTheirEndBeforeTheRunDoes) {
  const std::vector<FeatureRow> rows = At(testing::PlainPlan(1000), {350, 390, 410, 960});
  EXPECT_NEAR(rows[0](8), 0.05, 1e-12);  // 1 - .35 - .6
  EXPECT_NEAR(rows[1](8), 0.01, 1e-12);
  EXPECT_EQ(rows[2](8), 0);
  EXPECT_EQ(rows[3](4), 0);
}

// The lags' sums, step by step as Tissue et al. write them, against the drops that the clock takes the schedule for.
TEST(FeaturesTest, TheMomentumIsThatOfTheWholeSchedule) {
  const Plan plan = testing::DecayingPlan(4000, Decay::kCosine);
  const RunClock clock(plan, 0);
  for (const auto& [column, lag] : {std::pair{7, 0.03}, {8, 0.15}}) {
    const auto momentum = [&, lag = lag](double step) {
      double sum = 0;
      for (double s = 0.5; s < step; s += 1) {
        const double fall = clock.Rate(s - 0.5) - clock.Rate(s + 0.5);
        sum -= fall * -std::expm1((clock.Share(s) - clock.Share(step)) / lag);
      }
      return sum;
    };
    for (const double step : {200.0, 1000.0, 2500.0, 3500.0}) {
      EXPECT_NEAR(At(plan, {step})[0](column), momentum(step) - momentum(4000), 0.02) << lag << " " << step;
    }
  }
}

TEST(FeaturesTest, APlaceHasTheSameFeaturesAloneAndAmongOthers) {
  const Plan plan = testing::CosinePlan(2000);
  const std::vector<FeatureRow> together = At(plan, {150, 600, 1400, 1900});
  const std::vector<FeatureRow> alone = At(plan, {1400});
  EXPECT_LT((together[2] - alone[0]).norm(), 1e-12);
}

TEST(TraitsTest, AreThoseOfThePlan) {
  Plan plan = testing::DecayingPlan(2000, Decay::kLinear, 100, 1500);
  plan.parameters = 1e8;
  plan.tokens_per_step = 5e5;
  const Traits traits = TraitsOf(plan, RunClock(plan, 0));
  EXPECT_TRUE(traits.known.all());
  EXPECT_NEAR(traits.values[0], std::log(1e-3), 1e-12);
  EXPECT_NEAR(traits.values[1], std::log(2000.0), 1e-12);
  EXPECT_NEAR(traits.values[Traits::kTokensPerStep], std::log(5e5), 1e-12);
  EXPECT_NEAR(traits.values[Traits::kParameters], std::log(1e8), 1e-12);
  EXPECT_NEAR(traits.values[4], 1400.0 / 1900, 0.015);  // Where the rate leaves its peak, after warm-up.
  EXPECT_NEAR(traits.values[5], 3, 0.1);                // A line.
  EXPECT_NEAR(traits.values[6], 0.05, 1e-12);
  EXPECT_LT(traits.values[7], 0.1);
  EXPECT_NEAR(TraitsOf(testing::DecayingPlan(2000), RunClock(testing::DecayingPlan(2000), 0)).values[5], 3.2, 0.1);
}

TEST(TraitsTest, WithoutTokensPerStepNothingIsSaidOfSteps) {
  Plan plan = testing::CosinePlan(2000);
  const Traits traits = TraitsOf(plan, RunClock(plan, 0));
  for (const size_t t : {1, 2, 3}) EXPECT_FALSE(traits.known.test(t)) << t;
  for (const size_t t : {0, 4, 5, 6, 7}) EXPECT_TRUE(traits.known.test(t)) << t;
  EXPECT_TRUE(TraitsOf(testing::PlainPlan(2000), RunClock(testing::PlainPlan(2000), 0)).known.none());
}

TEST(TraitsTest, APeakRateOfOneIsAMultiplierAndNoRate) {
  ScheduleSpec spec;
  spec.peak_lr = 1;
  spec.decay = Decay::kLinear;
  Plan plan = testing::PlainPlan(2000);
  plan.schedule = *LrSchedule::Create(spec, 2000);
  EXPECT_FALSE(TraitsOf(plan, RunClock(plan, 0)).known.test(0));
}

TEST(TraitsTest, NumbersThatHaveNoLogarithmAreUnknown) {
  for (const double bad : {0.0, -3.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    Plan plan = testing::CosinePlan(2000);
    plan.parameters = plan.tokens_per_step = bad;
    const Traits traits = TraitsOf(plan, RunClock(plan, 0));
    EXPECT_FALSE(traits.known.test(Traits::kTokensPerStep)) << bad;
    EXPECT_FALSE(traits.known.test(Traits::kParameters)) << bad;
    for (double value : traits.values) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(ObservationTest, ThereAreNeverMoreThanTheirCap) {
  for (const Plan& plan : {testing::CosinePlan(100'000), testing::PlainPlan(100'000)}) {
    Curve curve;
    for (Step s = 1; s <= 100'000; ++s) {
      curve.Add(s, 2 + std::pow(static_cast<double>(s), -0.3));
      if (s % 3000 != 0) continue;
      const ObserveResult seen = Observe(curve, RunClock(plan, s), Objective::Loss());
      ASSERT_FALSE(seen.outside);
      ASSERT_LE(seen.observations.points.size(), kMaxObservations);
      ASSERT_EQ(seen.observations.rows.size(), seen.observations.points.size());
      for (size_t i = 1; i < seen.observations.points.size(); ++i) {
        ASSERT_GE(seen.observations.points[i].share, seen.observations.points[i - 1].share);
      }
    }
  }
}

TEST(ObservationTest, ASpikeIsMarkedAndItsNeighboursAreNot) {
  Curve curve;
  for (Step s = 10; s <= 2000; s += 10) curve.Add(s, 3 * std::pow(static_cast<double>(s), -0.1));
  curve.Add(1205, 1000);
  const Plan plan = testing::PlainPlan(2000);
  const Observations seen = Observe(curve, RunClock(plan, 2000), Objective::Loss()).observations;
  size_t marked = 0;
  for (const Observation& p : seen.points) {
    if (p.variance == 0) continue;
    ++marked;
    EXPECT_NEAR(p.progress, 0.6, 0.06);
  }
  EXPECT_GE(marked, 1u);
  EXPECT_LE(marked, 3u);
}

TEST(ObservationTest, ThePointNoiseIsFoundUnderTheTrend) {
  for (const double noise : {0.002, 0.02}) {
    const testing::LawRun run{.plan = testing::PlainPlan(4000), .at = Coefficients::Constant(0.05), .noise = noise};
    const Observations seen = Observe(run.Until(1, 3), RunClock(run.plan, 4000), Objective::Loss()).observations;
    std::vector<double> levels;
    for (const Observation& p : seen.points) levels.push_back(p.level);
    EXPECT_NEAR(std::log(PointNoise(seen, levels, 0.003) / noise), 0, std::log(1.5)) << noise;
  }
}

}  // namespace
}  // namespace curvecast
