#include "core/watch/noise.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kClip = 3;                // Of z, so that single points do not move the scale.
constexpr double kClippedMoment = 0.9951;  // E min(z^2, 9) of the normal.
constexpr double kMemory = 200;            // Points that the scale and the correlation remember.
constexpr double kUsualWorth = 40;         // Points that the usual correlation is worth.
constexpr double kFreedom = 3;             // Degrees of freedom of the scale a point (README.md).
constexpr double kMostlyNoise = 0.5;       // Part of its variance from which on a residual says what the tails are.
constexpr double kLeastSd =
    1e-4;  // Of the log loss: a smoothed or rounded log has no noise, and less than this is no news.

}  // namespace

Noise::Noise(double scale, double points)
    : variance_(scale * scale),
      point_sd_(scale / std::sqrt(1 - kUsualCorrelation * kUsualCorrelation)),
      known_(points),
      points_(points) {}

void Noise::Add(double z, double noise_part) {
  const double clipped = std::clamp(z, -kClip, kClip);
  // z^2 changes with the log of the noise's variance by no more than its part, so tells as the part's square.
  known_ = std::min(known_ + noise_part * noise_part, kMemory);
  points_ = std::min(points_ + 1, kMemory);
  const double step = noise_part * (clipped * clipped / kClippedMoment - 1) * 1.3 / (known_ + 1);
  variance_ = std::max(variance_ * std::exp(step), kLeastSd * kLeastSd);
  // What the whitened innovations still share is what the correlation lacks.
  const double gain = 1 / (points_ + kUsualWorth);
  correlation_ = std::clamp(correlation_ + gain * noise_part * before_ * clipped, 0.0, kMostCorrelation);
  before_ = clipped;
  point_sd_ = std::sqrt(variance_ / (1 - correlation_ * correlation_));
  if (noise_part > kMostlyNoise) tail_.Add(z);
}

void Noise::Rescale(double factor, double points) {
  variance_ = std::max(variance_ * factor * factor, kLeastSd * kLeastSd);
  point_sd_ = std::sqrt(variance_ / (1 - correlation_ * correlation_));
  known_ = points;
}

double Noise::NormalScore(double z) const {
  const double freedom = kFreedom * known_;
  return z > 0 ? std::sqrt(freedom * std::log1p(z * z / freedom)) : z;
}

double Noise::mean_sd() const { return point_sd() * std::sqrt((1 + correlation_) / (1 - correlation_)); }

double GuessScale(const std::vector<double>& levels) {
  std::vector<double> kinks;
  for (size_t i = 1; i + 1 < levels.size(); ++i) {
    kinks.push_back(std::fabs(levels[i - 1] - 2 * levels[i] + levels[i + 1]));
  }
  const auto middle = kinks.begin() + static_cast<std::ptrdiff_t>(kinks.size() / 2);
  std::nth_element(kinks.begin(), middle, kinks.end());
  constexpr double r = Noise::kUsualCorrelation;
  return 1.4826 * *middle * std::sqrt((1 - r * r) / (6 - 8 * r + 2 * r * r));
}

}  // namespace curvecast
