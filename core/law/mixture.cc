#include "core/law/mixture.h"

#include <algorithm>
#include <cmath>

namespace curvecast {

double Quantile(const std::vector<Component>& mixture, double level) {
  double low = mixture[0].mean, high = low, at = 0;
  for (const Component& c : mixture) {
    at += c.weight * c.mean;
    low = std::min(low, c.mean - 8 * c.sd);
    high = std::max(high, c.mean + 8 * c.sd);
  }
  const double tolerance = 1e-7 * (high - low);
  // Newton's step where it stays inside the bracket, which the sign of the error narrows; halving where it does not.
  for (int i = 0; i < 60 && high - low > tolerance; ++i) {
    double below = 0, density = 0;
    for (const Component& c : mixture) {
      const double z = (at - c.mean) / c.sd;
      below += c.weight * 0.5 * std::erfc(-z * M_SQRT1_2);
      density += c.weight * std::exp(-0.5 * z * z) / c.sd;
    }
    const double error = below - level;
    (error > 0 ? high : low) = at;
    const double step = error / (density * 0.3989422804014327);
    const double next = at - step;
    if (next > low && next < high) {
      at = next;
      if (std::fabs(step) < tolerance) break;
    } else {
      at = 0.5 * (low + high);
    }
  }
  return at;
}

}  // namespace curvecast
