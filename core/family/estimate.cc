#include "core/family/estimate.h"

namespace curvecast {

std::optional<Eigen::MatrixXd> JackknifeCovariance(
    size_t groups, const std::function<std::optional<Eigen::VectorXd>(size_t)>& without) {
  std::vector<Eigen::VectorXd> estimates;
  for (size_t g = 0; g < groups; ++g) {
    std::optional<Eigen::VectorXd> estimate = without(g);
    if (!estimate.has_value()) continue;
    if (!estimate->allFinite()) return std::nullopt;
    estimates.push_back(*std::move(estimate));
  }
  if (estimates.size() < 3) return std::nullopt;
  const auto count = static_cast<double>(estimates.size());
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(estimates[0].size());
  for (const Eigen::VectorXd& e : estimates) mean += e / count;
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(mean.size(), mean.size());
  for (const Eigen::VectorXd& e : estimates) covariance += (e - mean) * (e - mean).transpose();
  covariance *= (count - 1) / count;
  if (!covariance.allFinite()) return std::nullopt;
  return covariance;
}

}  // namespace curvecast
