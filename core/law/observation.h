#pragma once

#include <cstddef>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/features.h"
#include "core/law/objective.h"
#include "core/law/run_clock.h"

namespace curvecast {

// One bin of the curve as the law sees it.
struct Observation {
  double share = 0;     // x, > 0.
  double progress = 0;  // t / T.
  double level = 0;     // Log of the mean value, relative to Observations::origin.
  double count = 0;     // Points behind it.
  double crowd = 1;     // Observations that share its surroundings, >= 1: their strays are not independent.
  double variance = 0;  // What it may lie off the law besides stray and noise: an outlier, warm-up, a young run.
  bool warming = false;
};

struct Observations {
  std::vector<Observation> points;  // In order of x.
  std::vector<FeatureRow> rows;     // Of each point.
  double origin = 0;                // Log of the newest level ...
  size_t newest = 0;                // ... the mean of so many points, the last 3 % of x.
  double points_per_step = 0;
  double lowest = 0;  // Lowest smoothed level before the newest, relative to origin.

  double newest_share() const { return points.back().share; }
};

inline constexpr size_t kMaxObservations = 64;

// Empty points if the curve has none, or if the loss of one of them is not positive (then `outside` is true).
struct ObserveResult {
  Observations observations;
  bool outside = false;
};
ObserveResult Observe(const Curve& curve, const RunClock& clock, const Objective& objective);

// Standard deviation of a single point, as a part of its value: from how far each observation's residual lies off the
// line between its neighbours'. Few observations lean on `guess`, which is > 0.
double PointNoise(const Observations& seen, const std::vector<double>& residuals, double guess);

}  // namespace curvecast
