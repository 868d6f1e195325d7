#include "core/engine/run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/schedule/rate_metric.h"

namespace curvecast {
namespace {

// Of the points of one metric, or of all if `metric` is null.
std::optional<Step> LowestStep(const BatchAppended& batch, const std::string* metric) {
  std::optional<Step> lowest;
  for (const Column& column : batch.columns) {
    if (metric != nullptr && column.metric != *metric) continue;
    for (Step step : column.steps) lowest = std::min(lowest.value_or(step), step);
  }
  return lowest;
}

size_t PointsOf(const BatchAppended& batch) {
  size_t points = 0;
  for (const Column& column : batch.columns) points += column.steps.size();
  return points;
}

double CheckpointOf(double progress) { return std::floor(progress / Run::kCheckpoint + 1e-9); }

}  // namespace

Run::Run(const RunOpened& opened, int64_t time_unix_micros, const Watching& watching)
    : history_(std::make_shared<const std::vector<Forecast>>()), opened_at_(time_unix_micros), watching_(watching) {
  Apply(opened);
}

void Run::Apply(const RunOpened& opened) {
  ++version_;
  const bool declares = spec_ == nullptr || !(*spec_ == opened.spec);
  spec_ = std::make_shared<const RunSpec>(opened.spec);
  if (watch_ != nullptr && declares) watch_->Declare(Watched(), objective());
  if (spec_->schedule) inferred_schedule_.clear();
  Writer& writer = writers_[opened.writer];
  if (opened.incarnation <= writer.incarnation) return;  // Declared again: the last word counts, no new life.
  const bool resumes = writer.incarnation != 0 || opened.resume_step;
  if (resumes && opened.writer.empty()) {
    reopened_ = true;
    if (watch_ != nullptr) watch_->Restarted();
  }
  writer = {.incarnation = opened.incarnation, .rewind_pending = resumes, .resume_step = opened.resume_step};
}

Run::Effect Run::Apply(const BatchAppended& batch, int64_t time_unix_micros) {
  auto at = writers_.find(batch.writer);
  if (at == writers_.end()) return {.duplicate = true};
  Writer& writer = at->second;
  if (batch.incarnation != writer.incarnation || batch.sequence <= writer.last_sequence) return {.duplicate = true};
  ++version_;
  writer.last_sequence = batch.sequence;
  unplaced_.clear();

  Listen(batch, time_unix_micros);
  Effect effect;
  if (writer.rewind_pending) {
    if (const std::optional<Step> step = ResumeStep(writer, batch)) {
      effect.rewound = Rewind(batch.writer, *step);
      writer.rewind_pending = false;
    }
  }
  for (const Column& column : batch.columns) effect.points += TakeUp(column, batch.writer);
  if (effect.points > 0) last_point_at_ = time_unix_micros;
  if (batch.end || (batch.writer.empty() && effect.points > 0)) reopened_ = false;
  if (batch.end) {
    state_ = *batch.end;
    ended_at_ = time_unix_micros;
  } else if (effect.points > 0 && batch.writer.empty() && state_ != RunState::kRunning) {
    state_ = RunState::kRunning;  // Taken up again.
    ended_at_ = 0;
  }
  if (batch.phase && state_ == RunState::kRunning) Begin(*batch.phase, time_unix_micros);
  if (state_ != RunState::kRunning) {
    phase_.reset();
    if (watch_ != nullptr) watch_->Ended();
  }
  return effect;
}

WatchedRun Run::Watched() const {
  const auto& kin_of = watching_.kin_of;
  return {spec_->objective, MakePlan(*spec_), kin_of ? kin_of(*spec_, objective().last_step()) : nullptr};
}

// A watch begins with the first points, and anew with those that take an ended run up again.
void Run::Listen(const BatchAppended& batch, int64_t time_unix_micros) {
  if (!watching_.on) return;
  const size_t points = PointsOf(batch);
  if (watch_ == nullptr && points > 0 && (state_ == RunState::kRunning || batch.writer.empty())) {
    const WatchedRun watched = Watched();
    watch_ = std::make_unique<Watch>(watching_.options, watching_.prior, watched);
    watch_->Declare(watched, objective());
  }
  if (watch_ != nullptr) watch_->Arrived(time_unix_micros, points);
}

int64_t Run::TakeUp(const Column& column, const std::string& writer) {
  if (column.steps.empty()) return 0;
  if (column.metric == spec_->objective) phase_.reset();
  Series& series = series_[column.metric];
  series.writer = writer;
  for (size_t i = 0; i < column.steps.size(); ++i) {
    series.curve.Add(column.steps[i], column.values[i]);
    if (watch_ != nullptr) watch_->Add(column.metric, column.steps[i], column.values[i], series.curve);
  }
  return static_cast<int64_t>(column.steps.size());
}

void Run::Begin(const Phase& phase, int64_t time_unix_micros) {
  phase_ = phase;
  phase_began_at_ = time_unix_micros;
  if (watch_ != nullptr) watch_->Began(phase.name, time_unix_micros, phase.max_seconds);
}

// Where a new life takes up its writer's curves; nothing if this batch does not say. Metrics beside the objective may
// count in another unit or be logged out of turn (an evaluation at step 0 after every restart), so the objective
// decides if it is there.
std::optional<Step> Run::ResumeStep(const Writer& writer, const BatchAppended& batch) const {
  const std::optional<Step> lowest = LowestStep(batch, nullptr);
  if (writer.resume_step) return lowest ? writer.resume_step : std::nullopt;
  auto objective = series_.find(spec_->objective);
  const bool writes_objective =
      objective != series_.end() && !objective->second.curve.empty() && objective->second.writer == batch.writer;
  return writes_objective ? LowestStep(batch, &spec_->objective) : lowest;
}

bool Run::Rewind(const std::string& writer, Step step) {
  bool removed = false;
  bool counts = writer.empty();  // A rank that goes back alone is no event of the run, unless it writes the objective.
  for (auto& [metric, series] : series_) {
    if (series.writer != writer || series.curve.empty() || series.curve.last_step() < step) continue;
    removed = true;
    std::vector<Bin> bins = series.curve.Rewind(step);
    if (watch_ != nullptr) watch_->Rewound(metric, step, series.curve);
    if (metric != spec_->objective) continue;
    counts = true;
    if (!bins.empty()) branches_.push_back({step, std::move(bins)});
    ForgetForecastsFrom(step);
  }
  if (branches_.size() > kMaxBranches) branches_.pop_front();
  if (!removed || !counts) return removed;
  ++rewind_count_;
  rewinds_.push_back(step);
  if (rewinds_.size() > kMaxRewindsListed) rewinds_.pop_front();
  return true;
}

// What was forecast from superseded points is no part of this curve's history. The journal still has it.
void Run::ForgetForecastsFrom(Step step) {
  newest_stands_ = newest_stands_ && history_->back().step < step;
  auto history = std::make_shared<std::vector<Forecast>>(*history_);
  std::erase_if(*history, [step](const Forecast& f) { return f.step >= step; });
  history_ = std::move(history);
  if (forecast_ != nullptr && forecast_->step >= step) forecast_ = nullptr;
}

bool Run::rewind_pending() const {
  return std::any_of(writers_.begin(), writers_.end(), [](const auto& writer) { return writer.second.rewind_pending; });
}

void Run::Apply(const ForecastMade& made) {
  // Made from a curve that a rewind has cut off since: it says nothing of this one.
  if (objective().empty() || made.forecast.step > objective().last_step()) {
    unplaced_.push_back(made.forecast);
    unplaced_.back().path.clear();
    return;
  }
  KeepInHistory(made.forecast);
  Show(made.forecast);
  if (watch_ != nullptr) watch_->Take(made.forecast);
}

void Run::Apply(const FlagChanged& changed, int64_t time_unix_micros) {
  if (flags_.Apply(changed.change, time_unix_micros)) ++version_;
}

void Run::Apply(const FlagHandled& handled, int64_t time_unix_micros) {
  if (flags_.Apply(handled, time_unix_micros)) ++version_;
}

std::vector<FlagChange> Run::TakeFlagChanges() {
  if (watch_ == nullptr) return {};
  std::vector<FlagChange> changes = watch_->TakeChanges();
  if (state_ != RunState::kRunning) Rest();
  return changes;
}

// A run that is over costs little: its watch has said its last, and nothing is about to grow.
void Run::Rest() {
  watch_ = nullptr;
  for (auto& [metric, series] : series_) series.curve.ShrinkToFit();
  if (history_->capacity() > history_->size()) history_ = std::make_shared<const std::vector<Forecast>>(*history_);
}

void Run::Tick(int64_t now_unix_micros) {
  if (watch_ != nullptr) watch_->Tick(now_unix_micros);
}

void Run::Resume(int64_t now_unix_micros) {
  if (watch_ != nullptr) watch_->Resumed(now_unix_micros);
}

std::vector<FlagChange> Run::Reconcile() {
  if (watch_ == nullptr) return flags_.ChangesTo({}, Resolution::kEnded);
  // Only ticks raise SILENT, and a replay has none. If points came since, only their FlagChanged is missing.
  const BookedFlag* silent = flags_.FindActive(FlagKind::kSilent, spec_->objective);
  if (silent != nullptr && silent->updated_at >= last_point_at_) watch_->Restore(silent->flag);
  return flags_.ChangesTo(watch_->active(), Resolution::kRecovered);
}

void Run::Show(Forecast forecast) {
  ++version_;
  forecast_ = std::make_shared<const Forecast>(std::move(forecast));
}

bool Run::ShowInferred(std::string words) {
  if (spec_->schedule || words == inferred_schedule_) return false;
  inferred_schedule_ = std::move(words);
  ++version_;
  return true;
}

bool Run::AtCheckpoint(const Forecast& forecast) const {
  if (forecast.progress <= 0) return false;
  return history_->empty() || CheckpointOf(forecast.progress) > CheckpointOf(history_->back().progress);
}

void Run::KeepInHistory(const Forecast& forecast) {
  auto history = std::make_shared<std::vector<Forecast>>(*history_);
  history->push_back(forecast);
  history->back().path.clear();
  history_ = std::move(history);
  newest_stands_ = true;
}

const Run::Writer* Run::FindWriter(std::string_view name) const {
  auto at = writers_.find(name);
  return at == writers_.end() ? nullptr : &at->second;
}

const Curve* Run::FindCurve(std::string_view metric) const {
  auto at = series_.find(metric);
  return at == series_.end() ? nullptr : &at->second.curve;
}

const Curve& Run::objective() const {
  static const Curve kEmpty;
  const Curve* curve = FindCurve(spec_->objective);
  return curve == nullptr ? kEmpty : *curve;
}

std::optional<RateLog> Run::LoggedRates() const {
  if (spec_->schedule) return std::nullopt;
  const std::pair<const std::string, Series>* best = nullptr;
  int best_rank = std::numeric_limits<int>::max();
  for (const auto& entry : series_) {
    const std::optional<int> rank = RateMetricRank(entry.first);
    if (!rank || *rank >= best_rank || entry.first == spec_->objective) continue;
    best = &entry;
    best_rank = *rank;
  }
  if (best == nullptr) return std::nullopt;
  return RateLog{best->first, best->second.curve};
}

double Run::Progress() const {
  if (!spec_->total_steps || objective().empty()) return 0;
  return std::min(1.0, static_cast<double>(objective().last_step()) / static_cast<double>(*spec_->total_steps));
}

std::shared_ptr<const RunView> Run::View() const {
  auto view = std::make_shared<RunView>();
  view->spec = spec_;
  view->state = state_;
  if (const Curve& curve = objective(); !curve.empty()) {
    view->step = curve.last_step();
    view->value = curve.last_value();
  }
  view->progress = Progress();
  for (const auto& [metric, series] : series_) {
    const Curve& curve = series.curve;
    if (curve.empty()) continue;
    view->metrics.push_back({metric, curve.points(), curve.non_finite_points(), curve.last_step(), curve.last_value()});
  }
  view->inferred_schedule = inferred_schedule_;
  view->forecast = forecast_;
  view->history = history_;
  view->rewinds.assign(rewinds_.begin(), rewinds_.end());
  view->rewind_count = rewind_count_;
  view->opened_at_unix_micros = opened_at_;
  view->last_point_at_unix_micros = last_point_at_;
  view->ended_at_unix_micros = ended_at_;
  view->flags = flags_.flags();
  if (watch_ != nullptr) view->deviation_sigma = watch_->deviation_sigma();
  view->phase = phase_;
  view->phase_began_at_unix_micros = phase_began_at_;
  return view;
}

void Run::Save(ArchiveWriter& archive) const {
  const_cast<Run*>(this)->Fields(archive);  // Which changes nothing.
  archive(watch_ != nullptr);
  if (watch_ != nullptr) watch_->Save(archive);
}

std::unique_ptr<Run> Run::Load(ArchiveReader& archive, const Watching& watching) {
  std::unique_ptr<Run> run(new Run(watching));
  bool watched = false;
  run->Fields(archive);
  archive(watched);
  if (run->spec_ == nullptr || run->history_ == nullptr || run->flags_.flags() == nullptr) archive.Fail();
  if (run->newest_stands_ && run->history_ != nullptr && run->history_->empty()) archive.Fail();
  if (!archive.ok()) return run;
  if (watched) run->watch_ = Watch::Load(archive, watching.options, watching.prior);
  if (run->newest_stands_) run->forecast_ = std::make_shared<const Forecast>(run->history_->back());
  if (run->state_ != RunState::kRunning) run->Rest();  // What is read has room to grow.
  return run;
}

}  // namespace curvecast
