#pragma once

#include <vector>

#include "Eigen/Core"
#include "core/law/prior.h"

namespace curvecast {

// Sums over observations that a conjugate Gaussian needs: of weight, features and value. Coefficients are (log final
// level, c2, c3); a row of features is (1, PowerFeature, AnnealFeature).
struct Evidence {
  Eigen::Matrix3d precision = Eigen::Matrix3d::Zero();
  Eigen::Vector3d pull = Eigen::Vector3d::Zero();
  double square = 0;
  double log_weight = 0;

  void Add(const Eigen::Vector3d& features, double value, double variance);
};

struct Posterior {
  Eigen::Vector3d mean;
  Eigen::Matrix3d covariance;
  double log_evidence;  // Log density of the observations under the prior.
};

// The prior of the intercept is N(0, kLevelSd^2) about the newest level.
inline constexpr double kLevelSd = 0.5;
Posterior Update(const NodePrior& prior, const Evidence& evidence);

}  // namespace curvecast
