#pragma once

#include "absl/status/statusor.h"
#include "core/family/scaling_law.h"

namespace curvecast {

// What a project's scaling law expects of a run before it has begun.
struct LevelPrior {
  enum class From {
    kChinchilla,  // L(N, D).
    kSameSize,    // L(D) among finished runs of this size.
    kSameLength,  // L(N) among finished runs of this length.
  };
  From from = From::kChinchilla;
  // Of the log of the final loss: the law's own uncertainty, the cells' strays from it and the runs' spread within a
  // cell all count.
  double mean_log = 0;
  double sd_log = 0;  // > 0.
  // How far outside what was seen: 1 inside, 2 for twice the largest or half the smallest.
  double beyond_parameters = 1;
  double beyond_tokens = 1;
};

// Past this factor outside the runs nothing is said; nor past the other one if the law has no floor to level off at.
inline constexpr double kFarthestBeyond = 10;
inline constexpr double kFarthestWithoutFloor = 4;
// The sd is never below this: seeds alone move a final loss by .1 to .2 %.
inline constexpr double kLeastLevelSd = 0.002;

// Of a fit to CellLevel::kMedian. INVALID_ARGUMENT for a size or length that is not finite and above 0;
// FAILED_PRECONDITION, with the reason, if the runs identify no law that reaches this run; OUT_OF_RANGE, with the
// factor, if it lies too far outside them.
absl::StatusOr<LevelPrior> PriorOfLevel(const ScalingFit& fit, double parameters, double tokens);

}  // namespace curvecast
