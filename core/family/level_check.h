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
  // Groups weigh alike, so that one sweep of many runs does not decide; 0 without an answer.
  double median_error = 0;  // Median over groups of their median |log loss - mean|.
  double cover = 0;         // Mean over groups of the share inside mean +- 1.645 sd; .9 would be right.
};

enum class LeaveOut {
  kCell,  // One size and length at a time.
  kSize,  // All runs of one size.
};

// At most so many groups are left out, evenly spaced over them.
inline constexpr size_t kMostChecks = 64;

// INVALID_ARGUMENT as FitScaling. Takes a fit with its jackknife for each group: about 50 ms with 30 cells.
absl::StatusOr<LevelCheck> CheckLevel(const std::vector<ScalingPoint>& points, LeaveOut leave_out);

}  // namespace curvecast
