#include "core/watch/divergence.h"

#include <algorithm>

namespace curvecast {
namespace {

constexpr double kRise = 0.04;      // Log loss.
constexpr double kPointSds = 3.5;   // That a point must lie above the lowest level, besides.
constexpr double kSmoothSds = 2.5;  // The same for the mean of the newest, in noise of a point.
constexpr double kStillUp = 0.7;    // Of the highest rise of the stretch: under that it comes back.
constexpr double kRateRise = 1.05;  // A rate that has risen explains a loss that does.

}  // namespace

void Divergence::Add(double level, double smooth, double reference, double point_sd, double rate) {
  // Both have been there: a few points may lie low by chance, and a young reference may run ahead.
  const double here = std::max(reference, smooth);
  if (here < lowest_ || rate > kRateRise * rate_) {
    lowest_ = here;
    rate_ = rate;
  }
  rise_ = level - lowest_;
  const double by_mean = smooth - lowest_;
  threshold_ = std::max(kRise, kPointSds * point_sd);
  const double mean_threshold = std::max(kRise, kSmoothSds * point_sd), up = std::max(rise_, by_mean);
  const bool by_point = rise_ > threshold_, high = by_point || by_mean > mean_threshold;
  if (high && !by_point) {
    rise_ = by_mean;
    threshold_ = mean_threshold;
  }
  highest_ = high ? std::max(highest_, up) : 0;
  in_row_ = high && up >= kStillUp * highest_ ? in_row_ + 1 : 0;
}

void Divergence::Restart(double reference) {
  *this = {};
  lowest_ = reference;
}

}  // namespace curvecast
