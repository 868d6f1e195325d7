#pragma once

#include "core/law/belief.h"
#include "core/law/observation.h"

namespace curvecast {

// Sums over the observations that a conjugate Gaussian needs, each times its weight 1 / variance.
struct Evidence {
  CoefficientMatrix rows = CoefficientMatrix::Zero();  // Sum w f f'.
  Coefficients levels = Coefficients::Zero();          // Sum w f y.
  double square = 0;                                   // Sum w y^2.
  double log_weight = 0;                               // Sum log w.
};

// The weights that a belief's stray and this noise give: variance = noise^2 / count + stray^2 crowd + its own, times
// (x_now / x)^2, because what is old says less of what comes.
Evidence Weigh(const Observations& seen, double stray, double noise);

// What lies between each level and the law at these coefficients (relative to the origin).
std::vector<double> Residuals(const Observations& seen, const Coefficients& at);

// The observations with a family's bend taken out.
Observations Straighten(Observations seen, const Bend& bend);

// Standard deviation of the observations about the law at these coefficients, beyond what noise explains.
double StrayOf(const Observations& seen, const Coefficients& at, double noise);

struct Posterior {
  Coefficients mean;
  CoefficientMatrix covariance;
  double log_evidence = 0;  // Log density of the observations under the belief.
};

// `mean` instead of the belief's own, which is relative to the origin.
Posterior Update(const Belief& belief, const Coefficients& mean, const Evidence& evidence);

}  // namespace curvecast
