#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

// A finished run as a law over sizes and lengths sees it.
struct ScalingPoint {
  double parameters = 0;  // N, > 0.
  double tokens = 0;      // D, > 0.
  double loss = 0;        // At its end, > 0, in nats a token or whatever the objective is in.
};

// The finished runs of one size and length: they differ in rate, batch, optimizer, seed.
struct ScalingCell {
  double log_parameters = 0, log_tokens = 0;  // Medians.
  double log_loss = 0;                        // Median or lowest, as asked.
  size_t runs = 0;
  std::vector<size_t> members;  // Those runs, as indices into the points.
  size_t size = 0, length = 0;  // Which distinct N, which distinct D: from 0, ascending.
};

struct ScalingCells {
  std::vector<ScalingCell> cells;  // By size, then length.
  size_t runs = 0, sizes = 0, lengths = 0;
  double within_sd = 0;  // Of log loss about its cell's median, robust; 0 if no cell has two runs.
};

// What stands for a cell: its typical run, or its best tuned one, which is what published laws are fitted to.
enum class CellLevel { kMedian, kBest };

// Sizes (lengths) less than 2 % above the smallest of their kind are one. INVALID_ARGUMENT "points[3].loss: ..." for
// what is not finite and above 0, and for more than kMostScalingPoints.
inline constexpr double kSameWithin = 0.02;  // Of log N and log D.
inline constexpr size_t kMostScalingPoints = 100'000;
absl::StatusOr<ScalingCells> MakeCells(const std::vector<ScalingPoint>& points, CellLevel level);

// A law that misses log loss by more than this (sd) does not describe the runs: its constants mean nothing.
inline constexpr double kMostOff = 0.05;

// Root mean square of residuals, each held to three times their robust spread; x sqrt(n / (n - fitted)). 0 for n <=
// fitted.
double RobustSd(const std::vector<double>& residuals, size_t fitted);

}  // namespace curvecast
