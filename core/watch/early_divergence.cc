#include "core/watch/early_divergence.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kRise = 0.1;       // Log loss: no healthy run is known to rise so far and by ...
constexpr double kSds = 5;          // ... so many times its noise.
constexpr double kBack = 0.5;       // Of that rise: under it the loss has come back.
constexpr int64_t kFewest = 12;     // Points before anything is said ...
constexpr double kUnclipped = 8;    // ... and differences before a large one counts as an event and not as noise.
constexpr double kLargest = 3;      // Times the mean difference: what is larger is an event.
constexpr double kMemory = 100;     // Differences that are remembered.
constexpr double kMeanOf = 3;       // Points that the mean is of, ...
constexpr double kMeanPart = 0.02;  // ... or this part of all: among many points some lie low by chance.
// A point's standard deviation over the mean difference of two: .886 if they are independent; neighbours that are
// alike, with a correlation of up to .56, differ by less.
constexpr double kSdOfDifference = 1.5 * 0.886;

}  // namespace

void EarlyDivergence::Add(Step step, double level, std::vector<FlagChange>& changes) {
  std::copy_backward(levels_.begin(), levels_.end() - 1, levels_.end());
  levels_[0] = level;
  // A run may blow up with its first step.
  if (points_++ == 0) mean_ = lowest_ = level;
  const auto points = static_cast<double>(points_);
  mean_ += (level - mean_) / std::max(kMeanOf, kMeanPart * points);
  lowest_ = std::min(lowest_, mean_);
  const bool high = level - lowest_ > kBack * kRise;
  if (high && !high_) began_ = step;
  high_ = high;
  // Not the first, which falls far.
  if (const double learned = points - static_cast<double>(kInRow) - 2; learned >= 1) {
    const double difference = std::fabs(levels_[kInRow] - levels_[kInRow + 1]);
    const double clipped = learned > kUnclipped ? std::min(difference, kLargest * difference_) : difference;
    difference_ += (clipped - difference_) / std::min(learned, kMemory);
  }
  const double sd = kSdOfDifference * difference_;
  if (flag_.up()) {
    const bool back = mean_ - lowest_ < kBack * flag_.flag()->evidence.threshold;
    if (back) flag_.Resolve(Resolution::kRecovered, step, changes);
    return;
  }
  const double threshold = std::max(kRise, kSds * sd);
  const double rise = std::min(mean_, *std::min_element(levels_.begin(), levels_.begin() + kInRow)) - lowest_;
  if (points_ < kFewest || rise < threshold) return;
  Flag flag;
  flag.kind = FlagKind::kDivergence;
  flag.severity = Severity::kCritical;
  flag.metric = metric_;
  flag.began_step = began_;
  flag.raised_step = flag.updated_step = step;
  Evidence& e = flag.evidence;
  e.statistic = rise;
  e.threshold = threshold;
  e.expected = std::exp(lowest_);
  e.seen = std::exp(level);
  e.sigma = sd * e.seen;
  e.points = static_cast<int64_t>(kInRow);
  flag_.Raise(std::move(flag), changes);
}

void EarlyDivergence::Supersede(Step from, std::vector<FlagChange>& changes) {
  flag_.Supersede(from, changes);
  if (flag_.up()) return;  // It was raised on what stays: what is high or back is still told from that lowest level.
  points_ = 0;
  high_ = false;
  difference_ = 0;
}

}  // namespace curvecast
