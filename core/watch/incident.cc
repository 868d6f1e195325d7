#include "core/watch/incident.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kGain = 0.25;      // Of the newest point in the mean excess.
constexpr double kCalmSd = 2;       // Mean excess over its own noise, at most, to be over ...
constexpr double kCalmPart = 0.25;  // ... or this part of the peak.
constexpr double kPersists = 4;     // Mean excess over its own noise, points farther than ...
constexpr double kFar = 3;          // ... this times the noise counted as that far: a tall spike leaves a tall mean.
const double kMeanSd = std::sqrt(kGain / (2 - kGain));

}  // namespace

void Incident::Add(double level, const FeatureRow& row, double point_sd) {
  expected_ = opened_.frozen.Level(row);
  const double off = opened_.sign * (level - expected_);
  ++opened_.points;
  ++since_;
  excess_ += kGain * (off - excess_);
  held_ += kGain * (std::clamp(off, -kFar * point_sd, kFar * point_sd) - held_);
  peak_ = std::max(peak_, excess_);
  // The point itself must be back, so that a mean that still holds an old peak does not keep it open.
  const double back = std::max(kCalmSd * point_sd, kCalmPart * peak_);
  const bool calm = off < back && (excess_ < kCalmSd * kMeanSd * point_sd || excess_ < kCalmPart * peak_);
  calm_ = calm ? calm_ + 1 : 0;
}

bool Incident::persists(double point_sd) const { return held_ > kPersists * kMeanSd * point_sd; }

}  // namespace curvecast
