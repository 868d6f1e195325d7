#include "core/watch/start_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace curvecast {
namespace {

constexpr int64_t kFirst = 3;
constexpr int64_t kFewest = 6;       // Points before a fall is believed ...
constexpr int64_t kPoints = 24;      // ... and before anything is said.
constexpr double kProgress = 0.1;    // Likewise, of the plan ...
constexpr int64_t kUnplanned = 200;  // ... or in points, without one.
constexpr double kGain = 0.1;
constexpr double kFallen = 0.02;  // Of the start: that is learning.
constexpr double kStuck = 0.005;  // Less than that is none, if the mean is known so well.
constexpr double kSds = 3;

}  // namespace

void StartCheck::Add(Step step, double value, std::optional<double> progress, std::vector<FlagChange>& changes) {
  if (left_) return;
  if (++points_ <= kFirst) {
    if (points_ == 1) first_step_ = step;
    first_ += (value - first_) / static_cast<double>(points_);
    newest_ = first_;
    before_ = value;
    return;
  }
  const double difference = value - before_;
  scatter_ += (0.5 * difference * difference - scatter_) / static_cast<double>(std::min<int64_t>(points_, 100));
  before_ = value;
  newest_ += kGain * (value - newest_);
  if (points_ < kFewest) return;
  const double fallen = first_ - newest_, size = std::fabs(first_);
  const double mean_sd = std::sqrt(scatter_ * (kGain / (2 - kGain) + 1.0 / kFirst));
  if (fallen > std::max(kFallen * size, kSds * mean_sd)) {
    left_ = true;
    flag_.Resolve(Resolution::kRecovered, step, changes);
    return;
  }
  if (points_ < kPoints) return;
  const bool late = progress ? *progress >= kProgress : points_ >= kUnplanned;
  // A loss that has gone up is another trouble's.
  if (!late || flag_.up() || std::fabs(fallen) > kStuck * size || mean_sd > kStuck * size) return;
  Flag flag;
  flag.kind = FlagKind::kStuckAtStart;
  flag.severity = Severity::kWarning;
  flag.metric = metric_;
  flag.began_step = first_step_;
  flag.raised_step = flag.updated_step = step;
  Evidence& e = flag.evidence;
  // Losses at the ends of the doubles overflow.
  const auto finite = [](double x) {
    return std::clamp(x, -std::numeric_limits<double>::max(), std::numeric_limits<double>::max());
  };
  const double learned = std::max(kFallen * size, std::numeric_limits<double>::min());
  e.statistic = finite(1 - fallen / learned);
  e.threshold = finite(1 - std::max(kStuck * size, mean_sd) / learned);
  e.expected = first_ - kFallen * size;
  e.seen = newest_;
  e.sigma = std::min(std::sqrt(scatter_), std::numeric_limits<double>::max());
  e.points = points_;
  flag_.Raise(std::move(flag), changes);
}

}  // namespace curvecast
