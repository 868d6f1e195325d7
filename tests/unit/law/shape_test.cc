#include "core/law/shape.h"

#include <cmath>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

Plan FallingPlan(Decay decay) {
  ScheduleSpec spec;
  spec.peak_lr = 1;
  spec.final_lr = 0.05;
  spec.warmup_steps = 100;
  spec.decay = decay;
  spec.decay_start_step = 500;
  Plan plan;
  plan.total_steps = 2000;
  plan.schedule = *LrSchedule::Create(spec, plan.total_steps);
  return plan;
}

TEST(ShapeTest, EveryFeatureVanishesAtTheEnd) {
  const Plan plan = FallingPlan(Decay::kCosine);
  const RunClock clock(plan, 1000);
  for (const Node& node : Bank(RateKind::kDecaying)) {
    EXPECT_EQ(PowerFeature(node.exponent, 1), 0);
    EXPECT_NEAR(AnnealFeature(node, clock, {{1, clock.Rate(2000)}})[0], 0, 1e-12);
  }
}

TEST(ShapeTest, FeaturesFallAlongARunWhoseRateFalls) {
  const Plan plan = FallingPlan(Decay::kLinear);
  const RunClock clock(plan, 1000);
  std::vector<Place> places;
  for (Step s = 100; s <= 2000; s += 50) {
    places.push_back({clock.Share(static_cast<double>(s)), clock.Rate(static_cast<double>(s))});
  }
  for (const Node& node : Bank(RateKind::kDecaying)) {
    const std::vector<double> psi = AnnealFeature(node, clock, places);
    EXPECT_GT(psi.front(), 0.1);
    for (size_t i = 1; i < psi.size(); ++i) EXPECT_LE(psi[i], psi[i - 1] + 1e-12);
  }
}

// The drops that stand for the rate's fall, against a fall cut a hundred times finer.
TEST(ShapeTest, AFewDropsAreAsGoodAsMany) {
  for (Decay decay : {Decay::kCosine, Decay::kLinear, Decay::kExponential, Decay::kOneMinusSqrt}) {
    const Plan plan = FallingPlan(decay);
    const RunClock clock(plan, 1000);
    double fall = 0;
    for (const RunClock::Drop& d : clock.drops()) fall += d.fall;
    EXPECT_NEAR(fall, 0.95, 1e-9);
    for (const Node& node : Bank(RateKind::kDecaying)) {
      if (node.anneal != Anneal::kMomentum) continue;
      const auto effect = [&](double until) {
        double sum = 0;
        for (double t = 500; t < 2000; t += 0.25) {
          const double since = until - clock.Share(t + 0.125);
          if (since <= 0) break;
          sum -= (clock.Rate(t) - clock.Rate(t + 0.25)) * -std::expm1(-since / node.parameter);
        }
        return sum;
      };
      for (double t : {800.0, 1200.0, 1700.0}) {
        const double x = clock.Share(t);
        EXPECT_NEAR(AnnealFeature(node, clock, {{x, clock.Rate(t)}})[0], effect(x) - effect(1), 0.03);
      }
    }
  }
}

TEST(ShapeTest, AnUnknownScheduleIsPlainSteps) {
  Plan plan;
  plan.total_steps = 400;
  const RunClock clock(plan, 100);
  EXPECT_EQ(clock.kind(), RateKind::kUnknown);
  EXPECT_DOUBLE_EQ(clock.Share(100), 0.25);
  EXPECT_DOUBLE_EQ(clock.Rate(100), 1);
}

TEST(ObservationTest, AreFewInOrderAndHoldTheCurve) {
  const Plan plan = FallingPlan(Decay::kCosine);
  Curve curve;
  for (Step s = 1; s <= 1500; ++s) curve.Add(s, 3 / std::sqrt(static_cast<double>(s)));
  const RunClock clock(plan, 1500);
  const ObserveResult observed = Observe(curve, clock);
  const std::vector<Observation>& points = observed.observations.points;
  EXPECT_LE(points.size(), kMaxObservations);
  EXPECT_GE(points.size(), 30u);
  for (size_t i = 1; i < points.size(); ++i) EXPECT_GT(points[i].share, points[i - 1].share);
  EXPECT_GE(points.front().share, clock.Share(100));
  EXPECT_NEAR(points.back().level + observed.observations.origin, std::log(3 / std::sqrt(1500.0)), 0.02);
}

}  // namespace
}  // namespace curvecast
