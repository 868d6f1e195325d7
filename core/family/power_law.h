#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/family/estimate.h"

namespace curvecast {

// One cell as a single power law sees it: log loss at x (log N or log D), within a group that shares the other one.
struct GroupedPoint {
  size_t group = 0;
  double x = 0;
  double log_loss = 0;
};

// log L = level of the group - exponent x: Kaplan's L(N) or L(D) with its constant left free in each group. No floor:
// the exponent is the local slope over the range that was seen.
struct PowerLaw {
  struct Group {
    double mean_x = 0, mean_log_loss = 0, lowest_x = 0, highest_x = 0;
    size_t points = 0;  // 0: no power law in this group.
  };
  Estimate exponent;
  std::vector<Group> groups;  // By the points' group.
  size_t points = 0;          // In groups of at least two.
  double residual_sd = 0;     // Of log loss about the law.
  double spread_x = 0;        // Sum of squares of x about its group's mean.

  struct Prediction {
    double mean = 0, sd = 0;  // Of log loss; the sd holds the law's own uncertainty and residual_sd.
  };
  Prediction At(const Group& group, double x) const;
};

// By least squares within groups; the error is the classical one. FAILED_PRECONDITION with the reason unless some group
// spans a factor of 2 and there are at least three degrees of freedom left. Finite in, finite out.
absl::StatusOr<PowerLaw> FitPowerLaw(const std::vector<GroupedPoint>& points);

}  // namespace curvecast
