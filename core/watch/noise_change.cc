#include "core/watch/noise_change.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kFactor = 2;
constexpr double kMostSquare = 12;  // Of z: one outlier is no change of noise.
const double kLogFactor = std::log(kFactor);

}  // namespace

void NoiseChange::Follow(double step, double square, Sum& sum) {
  sum.log_ratio += step;
  sum.square += square;
  ++sum.points;
  if (sum.log_ratio <= 0) sum = {};
}

std::optional<NoiseChange::Finding> NoiseChange::Add(double z, double log_threshold) {
  const double square = std::min(z * z, kMostSquare);
  Follow(-kLogFactor + 0.5 * square * (1 - 1 / (kFactor * kFactor)), square, more_);
  Follow(kLogFactor - 0.5 * square * (kFactor * kFactor - 1), square, less_);
  for (const bool more : {true, false}) {
    const Sum sum = more ? more_ : less_;
    if (sum.log_ratio < log_threshold) continue;
    const double factor = std::sqrt(sum.square / static_cast<double>(sum.points));
    Clear();
    return Finding{more, sum.points, factor, sum.log_ratio};
  }
  return std::nullopt;
}

}  // namespace curvecast
