#include "core/watch/norm_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/watch/budget.h"

namespace curvecast {
namespace {

constexpr int64_t kLearn = 20;
constexpr double kSlow = 200;    // Points of the long mean.
constexpr double kFast = 0.125;  // Weight of the newest in the short one.
constexpr double kSds = 6;       // Of the short mean.
constexpr int kCalm = 8;         // Points in a row.
const double kFastSd = std::sqrt(kFast / (2 - kFast));

}  // namespace

void NormWatch::Add(Step step, double norm, double mean_points, std::vector<FlagChange>& changes) {
  if (!(norm > 0) || !std::isfinite(norm)) {
    if (!std::isfinite(norm) && points_ >= kLearn) Raise(step, norm, 1, 1, 0, changes);
    return;
  }
  const double level = std::log(norm);
  if (points_++ == 0) slow_ = fast_ = level;
  const double sd = noise_.point_sd(), off = level - slow_, z = off / sd;
  fast_ += kFast * (level - fast_);
  const double by = fast_ - slow_, needed = std::max(std::log(kHigh), kSds * kFastSd * sd);
  const bool high = by > needed;
  if (high && !high_) high_since_ = step;
  high_ = high;
  if (points_ > kLearn && !flag_.up()) {
    const double share = BudgetShares::kBeside / 2;
    // The tail's threshold is needed only where the norm is far out already.
    const double threshold = off > std::log(kBurst) ? noise_.tail().Threshold(share / mean_points) : 0;
    if (off > std::log(kBurst) && z > threshold) {
      high_since_ = step;
      Raise(step, norm, z, threshold, mean_points, changes);
    } else if (high) {
      Raise(step, std::exp(fast_), by / (kFastSd * sd), needed / (kFastSd * sd), mean_points, changes);
    }
  }
  calm_ = off < std::log(kHigh) && by < 0.5 * needed ? calm_ + 1 : 0;
  if (calm_ >= kCalm) flag_.Resolve(Resolution::kRecovered, step, changes);
  // While it is up, the reference stands still.
  if (flag_.up()) return;
  noise_.Add(z, 1);
  slow_ += std::clamp(off, -3 * sd, 3 * sd) / std::min(static_cast<double>(points_) + 1, kSlow);
}

void NormWatch::Raise(Step step, double norm, double statistic, double threshold, double mean_points,
                      std::vector<FlagChange>& changes) {
  Flag flag;
  flag.kind = FlagKind::kGradNorm;
  flag.severity = Severity::kWarning;
  flag.metric = metric_;
  flag.began_step = high_ ? high_since_ : step;
  flag.raised_step = flag.updated_step = step;
  Evidence& e = flag.evidence;
  e.statistic = statistic;
  e.threshold = threshold;
  e.expected = std::exp(slow_);
  e.seen = norm;
  e.sigma = std::min(noise_.point_sd() * e.expected, std::numeric_limits<double>::max());
  e.points = 1;
  if (mean_points > 0) {
    e.share = BudgetShares::kBeside / 2;
    e.mean_points_between_false_alarms = mean_points / e.share;
  }
  flag_.Raise(std::move(flag), changes);
}

}  // namespace curvecast
