#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "core/family/scaling_cells.h"

namespace curvecast {

// How PriorOfLevel would have fared on the runs that are there: each group of them is left out, the law is fitted to
// the rest, and asked for the runs left out.
struct LevelCheck {
  size_t runs = 0;  // Asked for.
  size_t answered = 0;
  size_t held = 0;          // Of those, inside mean +- 1.645 sd, which should be nine in ten.
  double median_error = 0;  // Of the answered: |log loss - mean|. 0 without any.
};

enum class LeaveOut {
  kCell,  // One size and length at a time.
  kSize,  // All runs of one size.
};

// At most so many groups are left out, evenly spaced over them.
inline constexpr size_t kMostChecks = 64;

// INVALID_ARGUMENT as FitScaling. Takes a fit for each group: about 5 ms for each of 30 cells, squared.
absl::StatusOr<LevelCheck> CheckLevel(const std::vector<ScalingPoint>& points, LeaveOut leave_out);

}  // namespace curvecast
