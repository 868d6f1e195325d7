#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "Eigen/Cholesky"
#include "core/law/features.h"
#include "core/law/plan.h"
#include "core/law/prior.h"
#include "tests/unit/watch/dice.h"

namespace curvecast::testing {

// A plan of this shape, with a warm-up; no decay is a constant rate.
inline Plan PlanOf(Decay decay, Step total, Step warmup, Step decay_start) {
  ScheduleSpec spec;
  spec.peak_lr = 1e-3;
  spec.final_lr = decay == Decay::kNone ? 0 : 1e-4;
  spec.warmup_steps = warmup;
  spec.decay = decay;
  spec.decay_start_step = decay_start;
  Plan plan;
  plan.total_steps = total;
  plan.schedule = *LrSchedule::Create(spec, total);
  return plan;
}
inline Plan Cosine(Step total) { return PlanOf(Decay::kCosine, total, total / 50, 0); }
inline Plan Linear(Step total) { return PlanOf(Decay::kLinear, total, total / 50, 0); }
inline Plan Wsd(Step total) { return PlanOf(Decay::kLinear, total, total / 50, total * 8 / 10); }
inline Plan ConstantRate(Step total) { return PlanOf(Decay::kNone, total, total / 50, 0); }
inline Plan NoSchedule(Step total) {
  Plan plan;
  plan.total_steps = total;
  return plan;
}
// The rate falls by a factor of ten at the middle and at three quarters.
inline Plan Stepped(Step total) {
  ScheduleSpec spec;
  spec.knot_steps = {0, total / 50, total / 2, total / 2 + 1, total * 3 / 4, total * 3 / 4 + 1};
  spec.knot_lrs = {0, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5};
  Plan plan;
  plan.total_steps = total;
  plan.schedule = *LrSchedule::Create(spec, total);
  return plan;
}

// How far the law rises above its lowest level after warm-up, log loss.
inline double RiseOf(const Plan& plan, const Coefficients& at) {
  constexpr int kPlaces = 1000;
  const RunClock clock(plan, 0);
  std::vector<Place> places;
  for (int i = 1; i <= kPlaces; ++i) {
    const double part = static_cast<double>(i) / kPlaces;
    const double step = clock.warmup_end() + part * part * (clock.end() - clock.warmup_end());
    places.push_back({std::max(clock.Share(step), 1e-6), clock.Rate(step)});
  }
  double lowest = 1e300, rise = 0;
  for (const FeatureRow& row : Features(clock, places)) {
    lowest = std::min(lowest, row.dot(at));
    rise = std::max(rise, row.dot(at) - lowest);
  }
  return rise;
}

// Coefficients of a run as the shipped prior has them under this plan, `spread` of its standard deviations about its
// mean, that falls all the way to a final loss of 2.5.
inline Coefficients CoefficientsOf(const Plan& plan, double spread, uint64_t seed) {
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  const CoefficientMatrix root = any.loose.covariance.llt().matrixL();
  Dice dice(seed);
  for (;;) {
    Coefficients unit;
    for (double& u : unit) u = dice.Normal();
    Coefficients at = any.MeanOf(TraitsOf(plan, clock)) + spread * root * unit;
    at(0) = std::log(2.5);
    if (RiseOf(plan, at) < 1e-3) return at;
  }
}

// The log loss of a run that is the law, exactly, at each step from 0 to its end, and falls while it warms up.
inline constexpr double kHighest = 50;
inline std::vector<double> LawCourse(const Plan& plan, const Coefficients& at) {
  const RunClock clock(plan, 0);
  std::vector<Place> places;
  for (Step s = 0; s <= *plan.total_steps; ++s) {
    const double step = static_cast<double>(std::max<Step>(s, 1));
    places.push_back({std::max(clock.Share(step), 1e-6), clock.Rate(step)});
  }
  std::vector<double> levels;
  for (const FeatureRow& row : Features(clock, places)) levels.push_back(std::min(row.dot(at), kHighest));
  // The law holds from there on; by it the low rate of a warm-up would be a low loss.
  for (auto s = static_cast<size_t>(clock.warmup_end()); s-- > 0;) levels[s] = std::max(levels[s], levels[s + 1]);
  return levels;
}

}  // namespace curvecast::testing
