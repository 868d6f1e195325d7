#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "Eigen/Cholesky"
#include "core/curve/curve.h"
#include "core/law/features.h"
#include "core/law/plan.h"
#include "gtest/gtest.h"

// Plans, and runs that are drawn from the law.
namespace curvecast::testing {

inline Plan DecayingPlan(Step total, Decay decay = Decay::kCosine, Step warmup = 0, Step decay_start = 0) {
  ScheduleSpec spec;
  spec.peak_lr = 1e-3;
  spec.warmup_steps = warmup;
  spec.decay = decay;
  spec.decay_start_step = decay_start;
  Plan plan;
  plan.total_steps = total;
  plan.schedule = *LrSchedule::Create(spec, total);
  return plan;
}

inline Plan CosinePlan(Step total) { return DecayingPlan(total, Decay::kCosine, total / 20); }

inline Plan PlainPlan(Step total) {
  Plan plan;
  plan.total_steps = total;
  return plan;
}

// What a run that is the law at these coefficients logs, every `stride` steps up to a share of its plan. `noise` is the
// standard deviation of a point's log loss. The end's own value is exp(at(0)).
struct LawRun {
  Plan plan;
  Coefficients at = Coefficients::Zero();
  double noise = 0.005;
  double scale = 1;
  Step stride = 10;

  double end() const { return scale * std::exp(at(0)); }

  Curve Until(double fraction, unsigned seed) const {
    const RunClock clock(plan, 0);
    std::vector<Step> steps;
    std::vector<Place> places;
    for (Step s = stride; static_cast<double>(s) <= fraction * static_cast<double>(*plan.total_steps); s += stride) {
      const double step = static_cast<double>(s);
      if (clock.Share(step) <= 0) continue;
      steps.push_back(s);
      places.push_back({clock.Share(step), clock.Rate(step)});
    }
    const std::vector<FeatureRow> rows = Features(clock, places);
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    Curve curve;
    for (size_t i = 0; i < steps.size(); ++i) {
      curve.Add(steps[i], scale * std::exp(rows[i].dot(at) + noise * normal(random)));
    }
    return curve;
  }
};

// One draw of a Gaussian.
inline Coefficients Draw(const Coefficients& mean, const CoefficientMatrix& covariance, std::mt19937& random) {
  std::normal_distribution<double> normal;
  Coefficients unit;
  for (double& u : unit) u = normal(random);
  return mean + covariance.llt().matrixL() * unit;
}

// Every number finite, in order, and the path no longer than it may be.
inline void ExpectSane(const Forecast& f) {
  EXPECT_TRUE(std::isfinite(f.progress));
  EXPECT_TRUE(std::isfinite(f.expected_value));
  for (double q : f.quantiles) EXPECT_TRUE(std::isfinite(q));
  EXPECT_TRUE(std::is_sorted(f.quantiles.begin(), f.quantiles.end()));
  EXPECT_LE(f.path.size(), 33u);
  for (size_t i = 0; i < f.path.size(); ++i) {
    const PathPoint& p = f.path[i];
    EXPECT_TRUE(std::isfinite(p.p05) && std::isfinite(p.p50) && std::isfinite(p.p95));
    EXPECT_LE(p.p05, p.p50);
    EXPECT_LE(p.p50, p.p95);
    EXPECT_TRUE(i == 0 || p.step > f.path[i - 1].step);
  }
}

}  // namespace curvecast::testing
