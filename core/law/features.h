#pragma once

#include <cstddef>
#include <vector>

#include "Eigen/Core"
#include "core/law/run_clock.h"

namespace curvecast {

// The law is linear: log L(t) = log L(T) + sum over k of c_k f_k(t), every feature 0 at the end, so that the first
// coefficient is the log of the final loss.
//
// With a known rate e(t) (relative to its peak) and x = S(t) / S(T):
//   power law, a = .05, .4, .8   (x^-a - 1) / a                  Kaplan et al. 2020, in summed rate
//   rate                         (e + .1)^.5, e, e^2, each minus its value at T
//   momentum, lag .03, .15       -sum over drops of fall (1 - exp(-dx / lag)), minus its value at T; Tissue et al. 2024
// Without one, x = t / T, and after the three power laws hinges max(0, 1 - x - c), c = .05, .1, .2, .4, .6, which any
// drop that the rate may cause is made of.
inline constexpr size_t kFeatures = 8;
inline constexpr size_t kCoefficients = kFeatures + 1;
using Coefficients = Eigen::Matrix<double, kCoefficients, 1>;
using CoefficientMatrix = Eigen::Matrix<double, kCoefficients, kCoefficients>;
// (1, f_1, ..., f_8).
using FeatureRow = Coefficients;

// Where the features are wanted.
struct Place {
  double share = 1, rate = 1;
};

// Places in order of share, each share > 0.
std::vector<FeatureRow> Features(const RunClock& clock, const std::vector<Place>& places);

}  // namespace curvecast
