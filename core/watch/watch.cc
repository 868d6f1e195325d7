#include "core/watch/watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include "core/law/objective.h"
#include "core/watch/budget.h"
#include "core/watch/early_divergence.h"
#include "core/watch/eval_watch.h"
#include "core/watch/forecast_check.h"
#include "core/watch/loss_watch.h"
#include "core/watch/metric_role.h"
#include "core/watch/non_finite.h"
#include "core/watch/norm_watch.h"
#include "core/watch/rate_check.h"
#include "core/watch/silence.h"
#include "core/watch/start_check.h"
#include "core/watch/train_side.h"

namespace curvecast {
namespace {

// Metrics beside the objective that are watched, of all roles together.
constexpr size_t kMaxBeside = 8;

// A metric beside the objective, and its newest step.
struct Beside {
  std::variant<EvalWatch, TrainSide, NormWatch, RateCheck> test;
  Step newest = -1;
};

std::variant<EvalWatch, TrainSide, NormWatch, RateCheck> MakeTest(size_t index, const std::string& metric,
                                                                  const Prior& prior, const Plan& plan) {
  switch (index) {
    case 0:
      return EvalWatch(prior, metric, plan);
    case 1:
      return TrainSide(prior, metric, plan);
    case 2:
      return NormWatch(metric);
    default:
      return RateCheck(metric, plan.schedule);
  }
}

// Losses near the largest double, and logarithms of the least, leave numbers that nobody can compare.
void KeepFinite(Flag& flag) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  Evidence& e = flag.evidence;
  for (double* number : {&e.statistic, &e.threshold, &e.expected, &e.sigma}) {
    if (!std::isfinite(*number)) *number = *number > 0 ? kLargest : 0;
  }
  const bool seen_as_it_is = flag.kind == FlagKind::kNonFinite || flag.kind == FlagKind::kGradNorm;
  if (!seen_as_it_is && !std::isfinite(e.seen)) e.seen = e.seen > 0 ? kLargest : 0;
}

}  // namespace

struct Watch::State {
  State(const WatchOptions& asked, const Prior& with, const WatchedRun& watched)
      : prior(with),
        begun_as{watched.objective, watched.plan.maximize},
        run(watched),
        budget(asked.false_alarms_per_1000_run_days, asked.mean_points_between_false_alarms),
        silence(asked.silent_after_seconds),
        silence_of_fold(asked.silent_after_seconds),
        non_finite(watched.objective),
        start(watched.objective),
        early(watched.objective),
        forecasts(watched.objective, watched.plan.maximize),
        loss(with, watched.objective, watched.plan) {
    loss.LeanOn(std::exchange(run.kin, nullptr));
  }

  Silence::Place Place() const { return {run.objective, newest}; }
  void Say(std::optional<FlagChange> change) {
    if (change) changes.push_back(*std::move(change));
  }
  Beside* FindBeside(std::string_view metric);
  TrainSide* FindTrainSide();
  // What `say` adds to the changes is called OVERFIT where the train loss says so.
  template <typename Say>
  void RenamedSince(size_t first, const Say& say) {
    say();
    if (changes.size() == first) return;
    if (TrainSide* train = FindTrainSide()) train->Rename(changes, first);
  }
  void AddObjective(Step step, double value, const Curve& curve);
  void AddBeside(Beside& beside, Step step, double value, const Curve& curve);
  void AddLoss(Step step, double value, const Curve& curve);

  template <class Archive>
  void Fields(Archive& archive) {
    archive(run, budget, arrived_at, newest, any, silence_of_fold, non_finite, start, early, forecasts, loss,
            objective);
    archive(unwatched);
    std::map<std::string, size_t, std::less<>> tests;
    for (const auto& [metric, at] : beside) tests.emplace(metric, at.test.index());
    archive(tests);
    for (const auto& [metric, test] : tests) {
      if constexpr (Archive::kReads) beside.emplace(metric, Beside{MakeTest(test, metric, prior, run.plan)});
      Beside& at = beside.find(metric)->second;
      std::visit([&](auto& held) { archive(held); }, at.test);
      archive(at.newest);
    }
    if constexpr (Archive::kReads) silence = silence_of_fold;
  }

  const Prior& prior;
  const std::pair<std::string, bool> begun_as;  // Objective and whether to maximise it: what the tests were made for.
  WatchedRun run;
  Budget budget;
  int64_t arrived_at = 0;  // The newest batch; 0: not known.
  Step newest = 0;         // Of the objective.
  bool any = false;
  Silence silence;
  Silence silence_of_fold;  // The same without what time alone has brought: it never speaks.
  NonFinite non_finite;
  StartCheck start;
  EarlyDivergence early;
  ForecastCheck forecasts;
  LossWatch loss;
  std::optional<Objective> objective;  // Once its first point has said what it is.
  std::map<std::string, Beside, std::less<>> beside;
  std::map<std::string, bool, std::less<>> unwatched;  // Metrics that are no business of ours.
  std::vector<FlagChange> changes;
};

Watch::Watch(const WatchOptions& options, const Prior& prior, const WatchedRun& run)
    : state_(std::make_unique<State>(options, prior, run)) {}

Watch::~Watch() = default;

void Watch::Declare(const WatchedRun& run, const Curve& objective) {
  State& s = *state_;
  s.run = run;
  s.newest = objective.last_step();
  s.any = !objective.empty();
  s.objective.reset();
  s.loss.LeanOn(std::exchange(s.run.kin, nullptr));
  s.loss.Relearn(run.plan, objective);
  for (auto& [metric, beside] : s.beside) {
    auto* rate = std::get_if<RateCheck>(&beside.test);
    if (rate == nullptr) continue;
    rate->Supersede(0, s.changes);
    beside.test.emplace<RateCheck>(metric, run.plan.schedule);
  }
}

void Watch::Arrived(int64_t time, size_t points) {
  state_->Say(state_->silence.Arrived(time, points, state_->Place()));
  state_->silence_of_fold.Arrived(time, points, state_->Place());
  state_->arrived_at = time;
}

void Watch::Add(std::string_view metric, Step step, double value, const Curve& curve) {
  if (metric == state_->run.objective) return state_->AddObjective(step, value, curve);
  if (Beside* beside = state_->FindBeside(metric)) state_->AddBeside(*beside, step, value, curve);
}

// An objective that is maximised is watched as what is missing to the whole, as core/law has it.
void Watch::State::AddLoss(Step step, double value, const Curve& curve) {
  const bool outside = objective && run.plan.maximize && objective->ToLoss(value) < 0;
  if (!objective || outside) {
    objective = run.plan.maximize ? Objective::Share(curve) : Objective::Loss();
    if (!objective) return;
    loss.SetObjective(*objective);
    if (outside) loss.Relearn(run.plan, curve);  // It counts in per cent after all.
  }
  const double at = objective->ToLoss(value);
  if (!(at > 0)) return;
  const size_t told = changes.size();
  std::optional<double> progress;
  if (run.plan.total_steps) progress = static_cast<double>(step) / static_cast<double>(*run.plan.total_steps);
  const bool warming = run.plan.schedule && static_cast<double>(step) <= run.plan.schedule->warmup_end();
  if (!warming) start.Add(step, at, progress, changes);
  RenamedSince(changes.size(), [&] { loss.Add(step, at, curve, budget.MeanPoints(), changes); });
  if (loss.diverging()) {  // Before it: of one kind one flag is up at a time.
    std::vector<FlagChange> replaced;
    early.Replace(step, replaced);
    changes.insert(changes.begin() + static_cast<std::ptrdiff_t>(told), replaced.begin(), replaced.end());
  } else if (!loss.speaks() || early.flag().up()) {
    early.Add(step, std::log(at), changes);
  }
  if (!run.plan.maximize) return;
  for (size_t i = told; i < changes.size(); ++i) {
    Evidence& evidence = changes[i].flag.evidence;
    if (changes[i].flag.kind == FlagKind::kNoiseChange) continue;
    evidence.expected = objective->FromLoss(evidence.expected);
    evidence.seen = objective->FromLoss(evidence.seen);
  }
}

void Watch::State::AddObjective(Step step, double value, const Curve& curve) {
  silence.Progressed();
  silence_of_fold.Progressed();
  if (any && step <= newest) {
    newest = std::max(newest, step);
    return;
  }
  any = true;
  newest = step;
  budget.Arrived(arrived_at, 1);
  non_finite.Add(step, value, changes);
  if (std::isfinite(value)) AddLoss(step, value, curve);
}

Beside* Watch::State::FindBeside(std::string_view metric) {
  if (auto at = beside.find(metric); at != beside.end()) return &at->second;
  if (unwatched.find(metric) != unwatched.end()) return nullptr;
  std::string name(metric);
  const MetricRole role = RoleOf(metric);
  // What the objective itself is, is watched already.
  const bool eval = role == MetricRole::kEvalLoss && RoleOf(run.objective) == MetricRole::kTrainLoss;
  // The first train loss stands for all.
  const bool train =
      role == MetricRole::kTrainLoss && RoleOf(run.objective) == MetricRole::kEvalLoss && FindTrainSide() == nullptr;
  const bool rate = role == MetricRole::kRate && run.plan.schedule;
  if (beside.size() < kMaxBeside && (eval || train || rate || role == MetricRole::kGradNorm)) {
    if (train) return &beside.emplace(name, Beside{TrainSide(prior, name, run.plan)}).first->second;
    if (eval) return &beside.emplace(name, Beside{EvalWatch(prior, name, run.plan)}).first->second;
    if (rate) return &beside.emplace(name, Beside{RateCheck(name, run.plan.schedule)}).first->second;
    return &beside.emplace(name, Beside{NormWatch(name)}).first->second;
  }
  unwatched.emplace(std::move(name), true);
  return nullptr;
}

TrainSide* Watch::State::FindTrainSide() {
  for (auto& [metric, at] : beside) {
    if (auto* train = std::get_if<TrainSide>(&at.test)) return train;
  }
  return nullptr;
}

void Watch::State::AddBeside(Beside& to, Step step, double value, const Curve& curve) {
  if (step <= to.newest) return;
  to.newest = step;
  if (auto* eval = std::get_if<EvalWatch>(&to.test)) {
    if (std::isfinite(value) && value > 0) eval->Add(step, value, curve, budget.MeanPoints(), loss.above(), changes);
  } else if (auto* train = std::get_if<TrainSide>(&to.test)) {
    if (std::isfinite(value) && value > 0) train->Add(step, value, curve, budget.MeanPoints());
  } else if (auto* norm = std::get_if<NormWatch>(&to.test)) {
    norm->Add(step, value, budget.MeanPoints(), changes);
  } else {
    std::get<RateCheck>(to.test).Add(step, value, changes);
  }
}

void Watch::Rewound(std::string_view metric, Step from, const Curve& left) {
  State& s = *state_;
  if (metric == s.run.objective) {
    s.newest = left.last_step();
    s.any = !left.empty();
    s.non_finite.Supersede(from, s.changes);
    s.start.Supersede(from, s.changes);
    s.early.Supersede(from, s.changes);
    s.forecasts.Supersede(from, s.changes);
    s.RenamedSince(s.changes.size(), [&] { s.loss.Supersede(from, s.changes); });
    s.loss.Relearn(s.run.plan, left);
    return;
  }
  const auto at = s.beside.find(metric);
  if (at == s.beside.end()) return;
  Beside& beside = at->second;
  beside.newest = left.empty() ? -1 : left.last_step();
  if (auto* train = std::get_if<TrainSide>(&beside.test)) {
    train->Supersede(from);
    return train->Relearn(s.run.plan, left);
  }
  if (auto* eval = std::get_if<EvalWatch>(&beside.test)) {
    eval->Supersede(from, s.changes);
    return eval->Relearn(s.run.plan, left);
  }
  if (auto* norm = std::get_if<NormWatch>(&beside.test)) return norm->Supersede(from, s.changes);
  std::get<RateCheck>(beside.test).Supersede(from, s.changes);
}

void Watch::Began(std::string_view, int64_t time, double max_seconds) {
  for (Silence* silence : {&state_->silence, &state_->silence_of_fold}) silence->Began(time, max_seconds);
}
void Watch::Restarted() {
  for (Silence* silence : {&state_->silence, &state_->silence_of_fold}) silence->Restarted();
}
void Watch::Resumed(int64_t now) { state_->silence.Resumed(now); }
void Watch::Restore(const Flag& silent) { state_->silence.Restore(silent); }
void Watch::Take(const Forecast& forecast) { state_->forecasts.Take(forecast, state_->loss.above(), state_->changes); }
void Watch::Tick(int64_t now) { state_->Say(state_->silence.Tick(now, state_->Place())); }

void Watch::Ended() {
  State& s = *state_;
  s.Say(s.silence.Ended(s.Place()));
  s.silence_of_fold.Ended(s.Place());
  s.non_finite.End(s.newest, s.changes);
  s.start.End(s.newest, s.changes);
  s.early.End(s.newest, s.changes);
  s.forecasts.End(s.newest, s.changes);
  s.RenamedSince(s.changes.size(), [&] { s.loss.End(s.changes); });
  for (auto& [metric, beside] : s.beside) {
    if (auto* eval = std::get_if<EvalWatch>(&beside.test)) eval->End(beside.newest, s.changes);
    if (auto* norm = std::get_if<NormWatch>(&beside.test)) norm->End(beside.newest, s.changes);
    if (auto* rate = std::get_if<RateCheck>(&beside.test)) rate->End(beside.newest, s.changes);
  }
}

std::vector<FlagChange> Watch::TakeChanges() {
  std::vector<FlagChange> changes = std::exchange(state_->changes, {});
  for (FlagChange& change : changes) KeepFinite(change.flag);
  return changes;
}

std::vector<Flag> Watch::active() const {
  const State& s = *state_;
  std::vector<Flag> flags;
  const auto take = [&flags](const std::optional<Flag>& flag) {
    if (flag) flags.push_back(*flag);
  };
  take(s.non_finite.flag().flag());
  if (std::optional<Flag> flag = s.loss.active()) {
    const TrainSide* train = state_->FindTrainSide();
    flags.push_back(train == nullptr ? *flag : train->Renamed(*flag));
  }
  take(s.start.flag().flag());
  take(s.early.flag().flag());
  take(s.forecasts.off_law().flag());
  take(s.forecasts.off_family().flag());
  for (const auto& [metric, beside] : s.beside) {
    if (const auto* eval = std::get_if<EvalWatch>(&beside.test)) take(eval->flag().flag());
    if (const auto* norm = std::get_if<NormWatch>(&beside.test)) take(norm->flag().flag());
    if (const auto* rate = std::get_if<RateCheck>(&beside.test)) take(rate->flag().flag());
  }
  take(s.silence.active());
  for (Flag& flag : flags) KeepFinite(flag);
  return flags;
}

std::optional<double> Watch::deviation_sigma() const {
  const std::optional<double> sigma = state_->loss.deviation_sigma();
  return sigma && std::isfinite(*sigma) ? sigma : std::nullopt;
}

void Watch::Save(ArchiveWriter& archive) const {
  archive(state_->begun_as);
  state_->Fields(archive);
}

std::unique_ptr<Watch> Watch::Load(ArchiveReader& archive, const WatchOptions& options, const Prior& prior) {
  std::pair<std::string, bool> begun_as;
  archive(begun_as);
  WatchedRun run{begun_as.first, {}};
  run.plan.maximize = begun_as.second;
  auto watch = std::make_unique<Watch>(options, prior, run);
  watch->state_->Fields(archive);
  return watch;
}

}  // namespace curvecast
