#include "core/law/posterior.h"

#include <algorithm>
#include <cmath>

#include "Eigen/Cholesky"

namespace curvecast {

bool SetCovariance(const CoefficientMatrix& covariance, Belief& belief) {
  const Eigen::LLT<CoefficientMatrix> factor(covariance);
  if (factor.info() != Eigen::Success) return false;
  const double log_determinant = 2 * factor.matrixLLT().diagonal().array().log().sum();
  if (!std::isfinite(log_determinant)) return false;
  belief.covariance = covariance;
  belief.precision = factor.solve(CoefficientMatrix::Identity());
  belief.log_determinant = log_determinant;
  return true;
}

Evidence Weigh(const Observations& seen, double stray, double noise) {
  // One more row for the level: a single product makes all the sums.
  using Row = Eigen::Matrix<double, kCoefficients + 1, 1>;
  Eigen::Matrix<double, kCoefficients + 1, kCoefficients + 1> sums;
  sums.setZero();
  Evidence evidence;
  Row row;
  for (size_t i = 0; i < seen.points.size(); ++i) {
    const Observation& p = seen.points[i];
    const double age = seen.newest_share() / p.share;
    const double variance = (noise * noise / p.count + stray * stray * p.crowd + p.variance) * age * age;
    row.head<kCoefficients>() = seen.rows[i];
    row(kCoefficients) = p.level;
    sums.noalias() += (row / variance) * row.transpose();
    evidence.log_weight -= std::log(variance);
  }
  evidence.rows = sums.topLeftCorner<kCoefficients, kCoefficients>();
  evidence.levels = sums.topRightCorner<kCoefficients, 1>();
  evidence.square = sums(kCoefficients, kCoefficients);
  return evidence;
}

std::vector<double> Residuals(const Observations& seen, const Coefficients& at) {
  std::vector<double> residuals;
  residuals.reserve(seen.points.size());
  for (size_t i = 0; i < seen.points.size(); ++i) residuals.push_back(seen.points[i].level - seen.rows[i].dot(at));
  return residuals;
}

double Bend::At(double progress) const {
  const auto after = std::upper_bound(kBentAt.begin(), kBentAt.end(), progress);
  if (after == kBentAt.begin()) return offsets.front();
  if (after == kBentAt.end()) return offsets.back();
  const auto i = static_cast<size_t>(after - kBentAt.begin());
  const double part = (progress - kBentAt[i - 1]) / (kBentAt[i] - kBentAt[i - 1]);
  return offsets[i - 1] + part * (offsets[i] - offsets[i - 1]);
}

Observations Straighten(Observations seen, const Bend& bend) {
  for (Observation& p : seen.points) p.level -= bend.At(p.progress);
  return seen;
}

double StrayOf(const Observations& seen, const Coefficients& at, double noise) {
  constexpr double kMost = 0.05;  // Of one observation: beyond, it is no stray.
  const std::vector<double> residuals = Residuals(seen, at);
  double sum = 0, of = 1e-9;
  for (size_t i = 0; i < residuals.size(); ++i) {
    const Observation& p = seen.points[i];
    if (p.warming) continue;
    const double off = std::min(std::fabs(residuals[i]), kMost), say = p.share * p.share / p.crowd;
    sum += say * (off * off - noise * noise / p.count - p.variance);
    of += say;
  }
  return std::sqrt(std::max(0.0, sum / of));
}

Posterior Update(const Belief& belief, const Coefficients& mean, const Evidence& evidence) {
  const Coefficients off = evidence.levels - evidence.rows * mean;
  const double square = evidence.square - mean.dot(evidence.levels) - mean.dot(off);
  const Eigen::LLT<CoefficientMatrix> factor(evidence.rows + belief.precision);
  Posterior posterior;
  posterior.covariance = factor.solve(CoefficientMatrix::Identity());
  const Coefficients moved = posterior.covariance * off;
  posterior.mean = mean + moved;
  const double log_determinant = 2 * factor.matrixLLT().diagonal().array().log().sum() + belief.log_determinant;
  posterior.log_evidence = 0.5 * (evidence.log_weight - log_determinant - square + moved.dot(off));
  return posterior;
}

}  // namespace curvecast
