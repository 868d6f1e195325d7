#pragma once

#include <vector>

#include "Eigen/Core"
#include "core/law/prior.h"

namespace curvecast {

// Sums over observations that a conjugate Gaussian needs, each times its weight 1 / variance. Coefficients are (log
// final level, c2, c3); a row of features is (1, p, q), p from PowerFeature and q from AnnealFeature; y is the level.
// This is the inner loop of a forecast, hence no matrices.
struct Evidence {
  double w = 0, p = 0, q = 0, y = 0, pp = 0, pq = 0, qq = 0, py = 0, qy = 0, yy = 0;
  double log_weight = 0;

  void Add(double power, double anneal, double level, double variance) {
    const double weight = 1 / variance, wp = weight * power, wq = weight * anneal, wy = weight * level;
    w += weight;
    p += wp;
    q += wq;
    y += wy;
    pp += wp * power;
    pq += wp * anneal;
    qq += wq * anneal;
    py += wp * level;
    qy += wq * level;
    yy += wy * level;
    // One logarithm for several variances; each lies within 1e-9 and 1e16.
    product_ *= variance;
    if (++factors_ == 8) Flush();
  }
  void Flush();

 private:
  double product_ = 1;
  int factors_ = 0;
};

struct Posterior {
  Eigen::Vector3d mean;
  Eigen::Matrix3d covariance;
  double log_evidence;  // Log density of the observations under the prior.
};

// The prior of the intercept is N(0, kLevelSd^2) about the newest level.
inline constexpr double kLevelSd = 0.5;
Posterior Update(const NodePrior& prior, Evidence evidence);

}  // namespace curvecast
