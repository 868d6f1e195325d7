#include "core/watch/budget.h"

#include <algorithm>

namespace curvecast {
namespace {

constexpr double kMicrosPerDay = 86400e6;
// A pace is believed after so long; what comes faster than kFastest is a replay and has no pace of its own.
constexpr int64_t kLongEnough = 60'000'000;
constexpr double kFastestPerDay = 86400.0 * 200;

}  // namespace

void Budget::Arrived(int64_t time_unix_micros, double points) {
  if (time_unix_micros <= 0) return;
  if (first_at_ == 0) {
    first_at_ = time_unix_micros;  // What came with it took a time that is not known.
  } else {
    points_ += points;
  }
  newest_at_ = std::max(newest_at_, time_unix_micros);
}

double Budget::MeanPoints() const {
  double mean = mean_points_;
  if (newest_at_ - first_at_ >= kLongEnough) {
    const double a_day = points_ / (static_cast<double>(newest_at_ - first_at_) / kMicrosPerDay);
    if (a_day > 0 && a_day <= kFastestPerDay) mean = a_day * 1000 / per_1000_days_;
  }
  return std::clamp(mean, kFewest, kMost);
}

}  // namespace curvecast
