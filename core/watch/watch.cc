#include "core/watch/watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/watch/silence.h"

namespace curvecast {

struct Watch::State {
  State(const WatchOptions& o, const WatchedRun& r) : options(o), run(r), silence(o.silent_after_seconds) {}

  Silence::Place Place() const { return {run.objective, newest}; }
  void Say(std::optional<FlagChange> change) {
    if (change) changes.push_back(*std::move(change));
  }

  WatchOptions options;
  WatchedRun run;
  Step newest = 0;
  Silence silence;
  std::vector<FlagChange> changes;
  std::optional<Flag> non_finite;
  int finite_since = 0;
};

Watch::Watch(const WatchOptions& options, const Prior&, const WatchedRun& run)
    : state_(std::make_unique<State>(options, run)) {}

Watch::~Watch() = default;

void Watch::Declare(const WatchedRun& run, const Curve& objective) {
  state_->run = run;
  state_->newest = objective.last_step();
}

void Watch::Arrived(int64_t time, size_t points) {
  state_->Say(state_->silence.Arrived(time, points, state_->Place()));
}

void Watch::Add(std::string_view metric, Step step, double value) {
  State& s = *state_;
  if (metric != s.run.objective) return;
  s.newest = std::max(s.newest, step);
  s.silence.Progressed();
  if (!std::isfinite(value)) {
    s.finite_since = 0;
    if (s.non_finite) return;
    s.non_finite = Flag{.kind = FlagKind::kNonFinite,
                        .severity = Severity::kCritical,
                        .metric = std::string(metric),
                        .began_step = step,
                        .raised_step = step,
                        .updated_step = step,
                        .evidence = {.statistic = 1, .threshold = 1, .seen = value, .points = 1}};
    s.changes.push_back({FlagChange::What::kRaised, *s.non_finite});
  } else if (s.non_finite && ++s.finite_since >= 8) {
    s.non_finite->updated_step = step;
    s.non_finite->resolution = Resolution::kRecovered;
    s.changes.push_back({FlagChange::What::kResolved, *std::exchange(s.non_finite, std::nullopt)});
  }
}

void Watch::Rewound(std::string_view metric, Step from, const Curve& left) {
  State& s = *state_;
  if (metric != s.run.objective) return;
  s.newest = left.last_step();
  if (!s.non_finite || s.non_finite->raised_step < from) return;
  s.non_finite->resolution = Resolution::kSuperseded;
  s.changes.push_back({FlagChange::What::kResolved, *std::exchange(s.non_finite, std::nullopt)});
}

void Watch::Began(std::string_view, int64_t time, double max_seconds) { state_->silence.Began(time, max_seconds); }
void Watch::Restarted() { state_->silence.Restarted(); }
void Watch::Resumed(int64_t now) { state_->silence.Resumed(now); }
void Watch::Restore(const Flag& silent) { state_->silence.Restore(silent); }
void Watch::Take(const Forecast&) {}
void Watch::Tick(int64_t now) { state_->Say(state_->silence.Tick(now, state_->Place())); }

void Watch::Ended() {
  State& s = *state_;
  s.Say(s.silence.Ended(s.Place()));
  if (!s.non_finite) return;
  s.non_finite->resolution = Resolution::kEnded;
  s.changes.push_back({FlagChange::What::kResolved, *std::exchange(s.non_finite, std::nullopt)});
}

std::vector<FlagChange> Watch::TakeChanges() { return std::exchange(state_->changes, {}); }

std::vector<Flag> Watch::active() const {
  std::vector<Flag> flags;
  if (state_->non_finite) flags.push_back(*state_->non_finite);
  if (state_->silence.active()) flags.push_back(*state_->silence.active());
  return flags;
}

std::optional<double> Watch::deviation_sigma() const { return std::nullopt; }

}  // namespace curvecast
