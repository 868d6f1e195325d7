#include "core/watch/watch.h"

#include <cmath>
#include <utility>

#include "core/law/objective.h"
#include "core/watch/budget.h"
#include "core/watch/loss_watch.h"

namespace curvecast {

struct Watch::State {
  State(const WatchOptions& asked, const Prior& prior, const WatchedRun& watched)
      : options(asked),
        run(watched),
        budget(asked.false_alarms_per_1000_run_days, asked.mean_points_between_false_alarms),
        loss(prior, watched.objective, watched.plan) {}

  WatchOptions options;
  WatchedRun run;
  Budget budget;
  LossWatch loss;
  std::vector<FlagChange> changes;
  std::optional<Flag> non_finite;
  int finite_since = 0;
  Step newest = -1;
};

Watch::Watch(const WatchOptions& options, const Prior& prior, const WatchedRun& run)
    : state_(std::make_unique<State>(options, prior, run)) {}

Watch::~Watch() = default;

void Watch::Declare(const WatchedRun& run, const Curve&) { state_->run = run; }

void Watch::Arrived(int64_t, size_t) {}

void Watch::Add(std::string_view metric, Step step, double value, const Curve& curve) {
  State& s = *state_;
  if (metric != s.run.objective) return;
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
  if (step <= s.newest || !std::isfinite(value)) return;
  s.newest = step;
  const double loss = s.run.plan.maximize ? 1 - value : value;
  if (loss > 0) s.loss.Add(step, loss, curve, s.budget.MeanPoints(), s.changes);
}

void Watch::Rewound(std::string_view metric, Step from, const Curve&) {
  State& s = *state_;
  if (metric != s.run.objective || !s.non_finite || s.non_finite->raised_step < from) return;
  s.non_finite->resolution = Resolution::kSuperseded;
  s.changes.push_back({FlagChange::What::kResolved, *std::exchange(s.non_finite, std::nullopt)});
}

void Watch::Began(std::string_view, int64_t, double) {}
void Watch::Take(const Forecast&) {}
void Watch::Tick(int64_t) {}

void Watch::Ended() {
  State& s = *state_;
  s.loss.End(s.changes);
  if (!s.non_finite) return;
  s.non_finite->resolution = Resolution::kEnded;
  s.changes.push_back({FlagChange::What::kResolved, *std::exchange(s.non_finite, std::nullopt)});
}

std::vector<Flag> Watch::active() const {
  std::vector<Flag> flags;
  if (state_->loss.active()) flags.push_back(*state_->loss.active());
  if (state_->non_finite) flags.push_back(*state_->non_finite);
  return flags;
}

std::vector<FlagChange> Watch::TakeChanges() { return std::exchange(state_->changes, {}); }

std::optional<double> Watch::deviation_sigma() const { return state_->loss.deviation_sigma(); }

}  // namespace curvecast
