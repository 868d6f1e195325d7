#pragma once

#include <vector>

namespace curvecast {

struct Component {
  double weight, mean, sd;  // sd > 0; weights sum to 1.
};

// The value below which `level` (in (0, 1)) of the mixture lies, within 1e-7 of its range.
double Quantile(const std::vector<Component>& mixture, double level);

}  // namespace curvecast
