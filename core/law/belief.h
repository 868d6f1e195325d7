#pragma once

#include <array>
#include <cstddef>

#include "core/law/features.h"

namespace curvecast {

// What a family's curves do beside the law, by progress: offsets of the log loss at kBentAt, linear between and held
// outside, and of the run's end (the mean of its last 1 %).
inline constexpr std::array<double, 24> kBentAt = {.005, .015, .03, .05, .075, .1, .15, .2, .25, .3, .35, .4,
                                                   .45,  .5,   .55, .6,  .65,  .7, .75, .8, .85, .9, .95, .99};
struct Bend {
  std::array<double, kBentAt.size()> offsets = {};
  double end = 0;

  double At(double progress) const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(offsets, end);
  }
};

// What is believed of a run's coefficients (log final loss first), as a Gaussian, with what it costs once and is used
// often. Where it comes from: an archetype of the prior, or the run's kin.
struct Belief {
  Coefficients mean = Coefficients::Zero();
  CoefficientMatrix covariance = CoefficientMatrix::Identity();
  CoefficientMatrix precision = CoefficientMatrix::Identity();
  double log_determinant = 0;  // Of the covariance.
  // How far such curves stray from the law, and the noise of a single point: standard deviations of the log loss, > 0.
  double stray = 0.002;
  double noise = 0.003;
  Bend bend;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(mean, covariance, precision, log_determinant, stray, noise, bend);
  }
};

// The covariance is positive definite; returns false if it is not in doubles, and then leaves the belief alone.
bool SetCovariance(const CoefficientMatrix& covariance, Belief& belief);

}  // namespace curvecast
