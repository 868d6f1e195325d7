#pragma once

#include <vector>

#include "core/curve/curve.h"
#include "core/law/law.h"
#include "core/law/prior.h"

namespace curvecast {

// The run's own time: x(t) = S(t) / S(T), the share of the planned summed rate that is spent, 0 to 1. Without a
// schedule x = t / T. T is the planned end, or the newest step once the run is past it.
class RunClock {
 public:
  // plan.total_steps is given.
  RunClock(const Plan& plan, Step newest);

  RateKind kind() const { return kind_; }
  double end() const { return end_; }  // T.
  double warmup_end() const;           // In steps.
  double Share(double step) const;     // x.
  // The relative rate, clipped from below (psi's slopes run away at 0); 1 during warm-up, which is no drop.
  double Rate(double step) const;

  // The rate from the end of warm-up to T as a few drops (or rises, negative): at x, by how much, and the rate after
  // it.
  struct Drop {
    double share, fall, rate;
  };
  const std::vector<Drop>& drops() const { return drops_; }

 private:
  void FindDrops();

  const LrSchedule* schedule_;  // Null: unknown. Outlives the clock.
  RateKind kind_;
  double end_;
  double summed_end_ = 0;
  std::vector<Drop> drops_;
};

// One bin of the curve as the law sees it.
struct Observation {
  double share;     // x, > 0.
  double rate;      // e.
  double level;     // Log of the mean value, relative to Observations::origin.
  double variance;  // Of its sampling noise.
  double crowd;     // Observations that share its surroundings, >= 1: their strays are not independent.
};

struct Observations {
  std::vector<Observation> points;  // In order of x.
  double origin = 0;                // Log of the newest level.
  double noise = 0;                 // Relative standard deviation of a single point.
  double points_per_step = 0;       // Near the newest step.
  double lowest = 0;                // Lowest smoothed level before the newest, relative to origin.
};

inline constexpr size_t kMaxObservations = 64;

// Empty points if the curve has none after warm-up, or if one of them is not positive (then `outside` is true).
struct ObserveResult {
  Observations observations;
  bool outside = false;
};
ObserveResult Observe(const Curve& curve, const RunClock& clock);

}  // namespace curvecast
