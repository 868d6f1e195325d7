#pragma once

#include <vector>

#include "core/law/observation.h"
#include "core/law/prior.h"

namespace curvecast {

// Where the law's features are wanted.
struct Place {
  double share, rate;
};

// (x^-a - 1) / a: what the power law adds to the log loss at x over its end. 0 at x = 1.
double PowerFeature(double exponent, double share);

// psi at each place minus psi at the end of the run; places in order of x. 0 at x = 1, so that the law's intercept is
// the final loss.
std::vector<double> AnnealFeature(const Node& node, const RunClock& clock, const std::vector<Place>& places);

}  // namespace curvecast
