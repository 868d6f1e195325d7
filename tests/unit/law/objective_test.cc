#include "core/law/objective.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "core/law/law.h"
#include "gtest/gtest.h"
#include "tests/unit/law/synthetic.h"

namespace curvecast {
namespace {

// An accuracy that climbs to `end` of a whole.
Curve Accuracy(double end, double whole, double fraction, double noise = 0.01) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  Curve curve;
  for (Step s = 10; static_cast<double>(s) <= fraction * 2000; s += 10) {
    const double missing = (1 - end) * std::pow(static_cast<double>(s) / 2000, -0.25);
    curve.Add(s, whole * (1 - std::min(1.0, missing * std::exp(noise * normal(random)))));
  }
  return curve;
}

Plan Maximised() {
  Plan plan = testing::PlainPlan(2000);
  plan.maximize = true;
  return plan;
}

TEST(ObjectiveTest, AnAccuracyIsForecastWithinItsRange) {
  for (const double whole : {1.0, 100.0}) {
    for (const double end : {0.3, 0.75, 0.98}) {
      for (const double fraction : {0.2, 0.5, 0.8}) {
        const Forecast f = ForecastEnd(Accuracy(end, whole, fraction), Maximised(), Prior::Shipped());
        ASSERT_TRUE(f.answered()) << end << " " << fraction << ": " << Explain(f.reason);
        EXPECT_TRUE(std::is_sorted(f.quantiles.begin(), f.quantiles.end()));
        EXPECT_GE(f.quantiles.front(), 0);
        EXPECT_LE(f.quantiles.back(), whole);
        EXPECT_NEAR(f.median() / whole, end, 0.1 * (1 - end) / fraction) << fraction;
        for (const PathPoint& p : f.path) {
          EXPECT_TRUE(0 <= p.p05 && p.p05 <= p.p50 && p.p50 <= p.p95 && p.p95 <= whole);
        }
        EXPECT_NEAR(f.path.back().p05, f.quantiles.front(), 1e-9 * whole);
        EXPECT_NEAR(f.path.back().p95, f.quantiles.back(), 1e-9 * whole);
      }
    }
  }
}

TEST(ObjectiveTest, AnAccuracyIsForecastAsItsErrorIs) {
  const Curve accuracy = Accuracy(0.75, 1, 0.5);
  Curve error;
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  for (Step s = 10; s <= 1000; s += 10) {
    error.Add(s,
              std::min(1.0, 0.25 * std::pow(static_cast<double>(s) / 2000, -0.25) * std::exp(0.01 * normal(random))));
  }
  const Forecast of_accuracy = ForecastEnd(accuracy, Maximised(), Prior::Shipped());
  const Forecast of_error = ForecastEnd(error, testing::PlainPlan(2000), Prior::Shipped());
  ASSERT_TRUE(of_accuracy.answered() && of_error.answered());
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(of_accuracy.quantiles[i], 1 - of_error.quantiles[4 - i], 1e-9);
  EXPECT_NEAR(of_accuracy.expected_value, 1 - of_error.expected_value, 1e-9);
}

TEST(ObjectiveTest, WhatIsMaximisedAndNoShareIsUnsupported) {
  for (const double odd : {-0.01, 100.5, 1e6, -1e300}) {
    Curve curve = Accuracy(0.75, 100, 0.5);
    curve.Add(1001, odd);
    EXPECT_EQ(ForecastEnd(curve, Maximised(), Prior::Shipped()).reason, NotYet::kUnsupported) << odd;
  }
}

TEST(ObjectiveTest, AShareThatIsWholeAlreadyHasNothingLeftToForecast) {
  Curve curve;
  for (Step s = 1; s <= 1000; ++s) curve.Add(s, s < 500 ? 0.9 : 1.0);
  const Forecast f = ForecastEnd(curve, Maximised(), Prior::Shipped());
  EXPECT_EQ(f.reason, NotYet::kOutsideLaw);
}

TEST(ObjectiveTest, AnObjectiveNearZeroStaysPositiveAndSane) {
  for (const double end : {1e-3, 1e-6, 1e-12, 1e-300}) {
    Curve curve;
    for (Step s = 10; s <= 1000; s += 10) curve.Add(s, end * std::pow(static_cast<double>(s) / 2000, -1.5));
    const Forecast f = ForecastEnd(curve, testing::PlainPlan(2000), Prior::Shipped());
    ASSERT_TRUE(f.answered()) << end;
    EXPECT_GT(f.quantiles.front(), 0);
    EXPECT_LE(f.quantiles.front(), f.median());
    EXPECT_LT(f.median(), curve.last_value());
    EXPECT_LT(f.quantiles.back(), 2 * curve.last_value()) << end;
  }
}

TEST(ObjectiveTest, ALossThatTouchesZeroIsOutsideTheLaw) {
  for (const double low : {0.0, -1e-300, -0.5}) {
    Curve curve;
    for (Step s = 1; s <= 500; ++s) curve.Add(s, 1.0);
    for (Step s = 501; s <= 1000; ++s) curve.Add(s, low);
    EXPECT_EQ(ForecastEnd(curve, testing::PlainPlan(2000), Prior::Shipped()).reason, NotYet::kOutsideLaw) << low;
  }
}

}  // namespace
}  // namespace curvecast
