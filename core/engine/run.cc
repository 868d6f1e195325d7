#include "core/engine/run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace curvecast {
namespace {

std::optional<Step> LowestStep(const BatchAppended& batch) {
  std::optional<Step> lowest;
  for (const Column& column : batch.columns) {
    for (Step step : column.steps) lowest = std::min(lowest.value_or(step), step);
  }
  return lowest;
}

double CheckpointOf(double progress) { return std::floor(progress / Run::kCheckpoint + 1e-9); }

}  // namespace

Run::Run(const RunOpened& opened, int64_t time_unix_micros)
    : history_(std::make_shared<const std::vector<Forecast>>()), opened_at_(time_unix_micros) {
  Apply(opened);
}

void Run::Apply(const RunOpened& opened) {
  ++version_;
  spec_ = std::make_shared<const RunSpec>(opened.spec);
  Writer& writer = writers_[opened.writer];
  if (opened.incarnation <= writer.incarnation) return;  // Declared again: the last word counts, no new life.
  // Only the unnamed writer rewinds the run: when it has lived before, or says where it resumes.
  const bool resumes = opened.writer.empty() && (writer.incarnation != 0 || opened.resume_step);
  writer = {.incarnation = opened.incarnation, .rewind_pending = resumes, .resume_step = opened.resume_step};
}

Run::Effect Run::Apply(const BatchAppended& batch, int64_t time_unix_micros) {
  auto at = writers_.find(batch.writer);
  if (at == writers_.end()) return {.duplicate = true};
  Writer& writer = at->second;
  if (batch.incarnation != writer.incarnation || batch.sequence <= writer.last_sequence) return {.duplicate = true};
  ++version_;
  writer.last_sequence = batch.sequence;

  Effect effect;
  const std::optional<Step> lowest = LowestStep(batch);
  if (writer.rewind_pending && lowest) {
    effect.rewound = RewindTo(writer.resume_step.value_or(*lowest));
    writer.rewind_pending = false;
  }
  for (const Column& column : batch.columns) {
    if (column.steps.empty()) continue;
    Curve& curve = curves_[column.metric];
    for (size_t i = 0; i < column.steps.size(); ++i) curve.Add(column.steps[i], column.values[i]);
    effect.points += static_cast<int64_t>(column.steps.size());
  }
  if (effect.points > 0) last_point_at_ = time_unix_micros;
  if (batch.end) {
    state_ = *batch.end;
    ended_at_ = time_unix_micros;
  } else if (effect.points > 0 && batch.writer.empty() && state_ != RunState::kRunning) {
    state_ = RunState::kRunning;  // Taken up again.
    ended_at_ = 0;
  }
  return effect;
}

bool Run::RewindTo(Step step) {
  bool removed = false;
  for (auto& [metric, curve] : curves_) {
    if (curve.empty() || curve.last_step() < step) continue;
    removed = true;
    std::vector<Bin> bins = curve.Rewind(step);
    if (metric == spec_->objective && !bins.empty()) branches_.push_back({step, std::move(bins)});
  }
  if (!removed) return false;
  if (branches_.size() > kMaxBranches) branches_.pop_front();
  ++rewind_count_;
  rewinds_.push_back(step);
  if (rewinds_.size() > kMaxRewindsListed) rewinds_.pop_front();
  // What was forecast from the superseded points is no part of this curve's history. The journal still has it.
  auto history = std::make_shared<std::vector<Forecast>>(*history_);
  history->erase(std::remove_if(history->begin(), history->end(), [step](const Forecast& f) { return f.step >= step; }),
                 history->end());
  history_ = std::move(history);
  if (forecast_ != nullptr && forecast_->step >= step) forecast_ = nullptr;
  return true;
}

void Run::Apply(const ForecastMade& made) {
  // Made from a curve that a rewind has cut off since: it says nothing of this one.
  if (objective().empty() || made.forecast.step > objective().last_step()) return;
  KeepInHistory(made.forecast);
  Show(made.forecast);
}

void Run::Show(Forecast forecast) {
  ++version_;
  forecast_ = std::make_shared<const Forecast>(std::move(forecast));
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
}

const Run::Writer* Run::FindWriter(std::string_view name) const {
  auto at = writers_.find(name);
  return at == writers_.end() ? nullptr : &at->second;
}

const Curve* Run::FindCurve(std::string_view metric) const {
  auto at = curves_.find(metric);
  return at == curves_.end() ? nullptr : &at->second;
}

const Curve& Run::objective() const {
  static const Curve kEmpty;
  const Curve* curve = FindCurve(spec_->objective);
  return curve == nullptr ? kEmpty : *curve;
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
  for (const auto& [metric, curve] : curves_) {
    if (curve.empty()) continue;
    view->metrics.push_back({metric, curve.points(), curve.non_finite_points(), curve.last_step(), curve.last_value()});
  }
  view->forecast = forecast_;
  view->history = history_;
  view->rewinds.assign(rewinds_.begin(), rewinds_.end());
  view->rewind_count = rewind_count_;
  view->opened_at_unix_micros = opened_at_;
  view->last_point_at_unix_micros = last_point_at_;
  view->ended_at_unix_micros = ended_at_;
  return view;
}

}  // namespace curvecast
