#include "core/law/posterior.h"

#include <cmath>

#include "Eigen/Cholesky"

namespace curvecast {
namespace {

double LogDeterminant(const Eigen::LLT<Eigen::Matrix3d>& llt) {
  double sum = 0;
  for (int i = 0; i < 3; ++i) sum += std::log(llt.matrixLLT()(i, i));
  return 2 * sum;
}

}  // namespace

void Evidence::Flush() {
  log_weight -= std::log(product_);
  product_ = 1;
  factors_ = 0;
}

Posterior Update(const NodePrior& prior, Evidence evidence) {
  evidence.Flush();
  Eigen::Matrix3d seen;
  seen << evidence.w, evidence.p, evidence.q, evidence.p, evidence.pp, evidence.pq, evidence.q, evidence.pq,
      evidence.qq;
  const Eigen::Vector3d seen_pull(evidence.y, evidence.py, evidence.qy);

  const double det = prior.var22 * prior.var33 - prior.var23 * prior.var23;
  Eigen::Matrix3d trust = Eigen::Matrix3d::Zero();
  trust(0, 0) = 1 / (kLevelSd * kLevelSd);
  trust(1, 1) = prior.var33 / det;
  trust(2, 2) = prior.var22 / det;
  trust(1, 2) = trust(2, 1) = -prior.var23 / det;
  const Eigen::Vector3d mean(0, prior.mean2, prior.mean3);

  const Eigen::Matrix3d precision = trust + seen;
  const Eigen::LLT<Eigen::Matrix3d> llt(precision);
  // In terms of the step away from the prior's mean, so that nothing large cancels.
  const Eigen::Vector3d pull = seen_pull - seen * mean;
  const double square = evidence.yy - 2 * mean.dot(seen_pull) + mean.dot(seen * mean);
  const Eigen::Vector3d step = llt.solve(pull);
  Posterior posterior;
  posterior.mean = mean + step;
  posterior.covariance = llt.solve(Eigen::Matrix3d::Identity());
  const double log_det_trust = -2 * std::log(kLevelSd) - std::log(det);
  posterior.log_evidence = 0.5 * (evidence.log_weight + log_det_trust - LogDeterminant(llt) - square + pull.dot(step));
  return posterior;
}

}  // namespace curvecast
