#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/family/estimate.h"
#include "core/family/power_law.h"
#include "core/family/scaling_cells.h"

namespace curvecast {

// L(N, D) = E + A / N^alpha + B / D^beta: the loss of a run of N parameters that ends after D tokens (Hoffmann et al.
// 2022, eq. 2).
struct ChinchillaLaw {
  // E > 0, alpha > 0, beta > 0; A and B span decades, so they and their errors are natural logarithms.
  Estimate irreducible, log_a, log_b, alpha, beta;
  // False if the cells are fitted best by (next to) no E: alpha and beta then stand for a law without a floor, which
  // falls less steeply, and their errors are those of such a law.
  bool floor_told = true;
  // Of (log A, log B, log E, alpha, beta), by the jackknife over cells.
  Eigen::Matrix<double, 5, 5> covariance = Eigen::Matrix<double, 5, 5>::Zero();
  double residual_sd = 0;  // Of the cells' log loss about the law, robust.

  double LogLoss(double log_parameters, double log_tokens) const;
};

// Hoffmann et al.'s fit as Besiroglu et al. 2024 corrected it: E 1.8172, A 482.01, B 2085.43, alpha .3478, beta .3658.
// Without covariance.
ChinchillaLaw PublishedChinchilla();

// What the finished runs of one project say of L(N, D), and no more.
struct ScalingFit {
  ScalingCells cells;
  std::optional<ChinchillaLaw> law;
  std::string why_no_law;  // For a person; empty if there is one.
  // Kaplan's single power laws (Kaplan et al. 2020, eq. 1.1 and 1.2): they ask less of the runs.
  std::optional<PowerLaw> in_tokens;  // L(D) among runs of one size.
  std::optional<PowerLaw> in_size;    // L(N) among runs of one length.
  std::string why_not_in_tokens, why_not_in_size;
};

// What L(N, D) asks for: sizes and lengths this many, each spread by this factor at least, and this many cells.
inline constexpr size_t kFewestSizes = 5;
inline constexpr size_t kFewestLengths = 5;
inline constexpr double kLeastSpread = 3;
inline constexpr size_t kFewestCells = 10;

// Fits by Huber loss on log residuals in the log-sum-exp form of Hoffmann et al. (section 3.3), each cell weighing
// alike, from eight starts. Huber's delta is theirs, 1e-3, or 1.345 robust sd of a first fit's residuals where that is
// more: with a delta far below the spread the fit is one of medians, whose jackknife means nothing. A law that the
// cells do not identify is refused: too few sizes or lengths, too little spread, one ratio of tokens to parameters, a
// law that misses the cells by more than kMostOff, or an exponent whose 90 % interval (+- 1.645 sd) holds 0. Pure;
// INVALID_ARGUMENT as MakeCells; numbers out are finite.
absl::StatusOr<ScalingFit> FitScaling(const std::vector<ScalingPoint>& points, CellLevel level);

}  // namespace curvecast
