#include "core/watch/silence.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace curvecast {

std::optional<FlagChange> Silence::Arrived(int64_t time, size_t points, const Place& place) {
  if (points == 0) return std::nullopt;
  const double now = time > 0 ? static_cast<double>(time) * 1e-6 : 0;
  // Not if the job or the daemon was away, nor if a phase that began since the last points explains it.
  const bool own = arrivals_ > 0 && listening_since_ <= heard_at_ && phase_until_ <= heard_at_;
  if (own && now >= heard_at_) Learn(now - heard_at_);
  heard_at_ = now;
  arrivals_ = now > 0 ? std::min(arrivals_ + 1, 2) : 0;
  std::optional<FlagChange> change = Resolve(Resolution::kRecovered, place);
  Schedule();
  return change;
}

void Silence::Learn(double pause) {
  pauses_[learned_ % kKept] = static_cast<float>(pause);
  ++learned_;
  longest_ = std::max(pause, longest_ * std::exp2(-pause / kHalfLifeSeconds));
}

double Silence::Typical() const {
  const size_t count = std::min(learned_, kKept);
  if (count == 0) return 0;
  std::array<float, kKept> sorted = pauses_;
  std::nth_element(sorted.begin(), sorted.begin() + count / 2, sorted.begin() + count);
  return sorted[count / 2];
}

void Silence::Began(int64_t time, double max_seconds) {
  if (time <= 0) return;
  phase_until_ = static_cast<double>(time) * 1e-6 + max_seconds;
  Schedule();
}

void Silence::EndPhase() {
  phase_until_ = 0;
  Schedule();
}

void Silence::Restarted() {
  arrivals_ = 0;
  phase_until_ = 0;
  Schedule();
}

void Silence::Resumed(int64_t now) {
  listening_since_ = static_cast<double>(now) * 1e-6;
  Schedule();
}

void Silence::Restore(const Flag& flag) {
  flag_ = flag;
  Schedule();
}

// When the pause that is under way becomes news.
void Silence::Schedule() {
  next_at_ = kNever;
  if (arrivals_ < 2) return;
  const double usual = std::max({silent_after_, kTypical * Typical(), kLongest * longest_});
  const double since = QuietSince();
  const double due = std::max(since + usual, phase_until_ > 0 ? phase_until_ + silent_after_ : 0);
  if (!flag_) next_at_ = due;
  if (flag_ && flag_->severity != Severity::kCritical) next_at_ = since + kCritical * (due - since);
}

std::optional<FlagChange> Silence::Speak(double now, const Place& place) {
  const FlagChange::What what = flag_ ? FlagChange::What::kUpdated : FlagChange::What::kRaised;
  if (!flag_) {
    flag_.emplace();
    flag_->kind = FlagKind::kSilent;
    flag_->severity = Severity::kWarning;
    flag_->metric = place.metric;
    flag_->began_step = flag_->raised_step = place.newest;
  } else {
    flag_->severity = Severity::kCritical;
  }
  flag_->updated_step = place.newest;
  flag_->evidence = {.statistic = now - QuietSince(),
                     .threshold = next_at_ - QuietSince(),
                     .expected = Typical(),
                     .seen = now - heard_at_,
                     .points = static_cast<int64_t>(std::min(learned_, kKept))};
  Schedule();
  return FlagChange{what, *flag_};
}

std::optional<FlagChange> Silence::Resolve(Resolution resolution, const Place& place) {
  next_at_ = kNever;
  if (!flag_) return std::nullopt;
  FlagChange change{FlagChange::What::kResolved, *std::exchange(flag_, std::nullopt)};
  change.flag.updated_step = place.newest;
  change.flag.resolution = resolution;
  return change;
}

}  // namespace curvecast
