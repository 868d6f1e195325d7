#include "core/family/level_prior.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fmt/format.h"

namespace curvecast {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void Take(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
  double Beyond(double x) const { return std::exp(std::max({low - x, x - high, 0.0})); }
};

absl::Status CheckNear(const LevelPrior& prior, double farthest) {
  for (const auto& [what, beyond] :
       {std::pair("parameters", prior.beyond_parameters), std::pair("tokens", prior.beyond_tokens)}) {
    if (beyond <= farthest) continue;
    return absl::OutOfRangeError(fmt::format(
        "{}: {:.3g} times outside the finished runs; this law is not asked past {}", what, beyond, farthest));
  }
  return absl::OkStatus();
}

// Variance of log L from that of (log A, log B, log E, alpha, beta).
double LawVariance(const ChinchillaLaw& law, double n, double d) {
  const double whole = law.LogLoss(n, d);
  const double size = std::exp(law.log_a.value - law.alpha.value * n - whole);
  const double length = std::exp(law.log_b.value - law.beta.value * d - whole);
  Eigen::Matrix<double, 5, 1> slope;
  slope << size, length, std::exp(std::log(law.irreducible.value) - whole), -size * n, -length * d;
  return std::max((slope.transpose() * law.covariance * slope).value(), 0.0);
}

// L(D) of this size, or L(N) of this length, if there is one. `shared` is what the group's runs have in common.
std::optional<PowerLaw::Prediction> FromGroup(const std::optional<PowerLaw>& law, std::optional<size_t> group, double x,
                                              double& beyond) {
  if (!law.has_value() || !group.has_value() || *group >= law->groups.size()) return std::nullopt;
  const PowerLaw::Group& found = law->groups[*group];
  if (found.points == 0) return std::nullopt;
  beyond = Range{found.lowest_x, found.highest_x}.Beyond(x);
  return law->At(found, x);
}

absl::StatusOr<LevelPrior> Settled(LevelPrior prior, const PowerLaw::Prediction& law, double within_sd) {
  prior.mean_log = law.mean;
  prior.sd_log = std::max(std::hypot(law.sd, within_sd), kLeastLevelSd);
  if (std::isfinite(prior.mean_log) && std::isfinite(prior.sd_log)) return prior;
  return absl::FailedPreconditionError("the law of the finished runs gives no finite level here");
}

}  // namespace

absl::StatusOr<LevelPrior> PriorOfLevel(const ScalingFit& fit, double parameters, double tokens) {
  for (const auto& [name, value] : {std::pair("parameters", parameters), std::pair("tokens", tokens)}) {
    if (std::isfinite(value) && value > 0) continue;
    return absl::InvalidArgumentError(fmt::format("{}: is {}; give a finite number above 0", name, value));
  }
  const double n = std::log(parameters), d = std::log(tokens);
  Range sizes, lengths;
  std::optional<size_t> size, length;
  for (const ScalingCell& c : fit.cells.cells) {
    sizes.Take(c.log_parameters);
    lengths.Take(c.log_tokens);
    if (std::fabs(c.log_parameters - n) <= kSameWithin) size = c.size;
    if (std::fabs(c.log_tokens - d) <= kSameWithin) length = c.length;
  }
  LevelPrior prior;
  if (fit.law.has_value()) {
    prior.beyond_parameters = sizes.Beyond(n);
    prior.beyond_tokens = lengths.Beyond(d);
    if (absl::Status status = CheckNear(prior, fit.law->floor_told ? kFarthestBeyond : kFarthestWithoutFloor);
        !status.ok())
      return status;
    const double sd = std::sqrt(LawVariance(*fit.law, n, d) + std::pow(fit.law->residual_sd, 2));
    return Settled(prior, {fit.law->LogLoss(n, d), sd}, fit.cells.within_sd);
  }
  if (const auto told = FromGroup(fit.in_tokens, size, d, prior.beyond_tokens)) {
    prior.from = LevelPrior::From::kSameSize;
    if (absl::Status status = CheckNear(prior, kFarthestWithoutFloor); !status.ok()) return status;
    return Settled(prior, *told, fit.cells.within_sd);
  }
  if (const auto told = FromGroup(fit.in_size, length, n, prior.beyond_parameters)) {
    prior.from = LevelPrior::From::kSameLength;
    if (absl::Status status = CheckNear(prior, kFarthestWithoutFloor); !status.ok()) return status;
    return Settled(prior, *told, fit.cells.within_sd);
  }
  return absl::FailedPreconditionError(
      fmt::format("{}; and no finished runs of this size, or of this length, make a power law", fit.why_no_law));
}

}  // namespace curvecast
