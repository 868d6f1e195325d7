#include "tests/sim/naive_run.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace curvecast {

void NaiveRun::Apply(const Event& event) {
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) Open(*opened);
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) Append(*batch);
  if (const auto* changed = std::get_if<FlagChanged>(&event.body)) Change(changed->change);
  if (const auto* handled = std::get_if<FlagHandled>(&event.body)) Handle(*handled);
}

void NaiveRun::Open(const RunOpened& opened) {
  objective_ = opened.spec.objective;
  Writer& writer = writers_[opened.writer];
  if (opened.incarnation <= writer.incarnation) return;
  const bool first_life = writer.incarnation == 0;
  writer = {opened.incarnation, 0, !first_life || opened.resume_step, opened.resume_step};
}

void NaiveRun::Append(const BatchAppended& batch) {
  Writer& writer = writers_[batch.writer];
  if (batch.incarnation != writer.incarnation || batch.sequence <= writer.last_sequence) return;
  writer.last_sequence = batch.sequence;
  if (const std::optional<Step> step = WhereTo(writer, batch); writer.must_say_where && step) {
    for (auto& [name, metric] : metrics_) {
      if (metric.writer == batch.writer) metric.points.erase(metric.points.lower_bound(*step), metric.points.end());
    }
    writer.must_say_where = false;
  }
  bool has_points = false;
  for (const Column& column : batch.columns) {
    Metric& metric = metrics_[column.metric];
    metric.writer = batch.writer;
    for (size_t i = 0; i < column.steps.size(); ++i) metric.points[column.steps[i]] = column.values[i];
    has_points |= !column.steps.empty();
  }
  if (batch.end) {
    state_ = *batch.end;
  } else if (has_points && batch.writer.empty()) {
    state_ = RunState::kRunning;
  }
}

// The one active flag of its kind and metric, or a new one.
void NaiveRun::Change(const FlagChange& change) {
  auto at = std::find_if(flags_.begin(), flags_.end(), [&](const NaiveFlag& flag) {
    return flag.active && flag.kind == change.flag.kind && flag.metric == change.flag.metric;
  });
  if (change.what == FlagChange::What::kRaised) {
    if (at == flags_.end()) flags_.push_back({change.flag.kind, change.flag.metric});
    return;
  }
  if (at != flags_.end() && change.what == FlagChange::What::kResolved) at->active = false;
}

void NaiveRun::Handle(const FlagHandled& handled) {
  if (handled.number < 1 || static_cast<size_t>(handled.number) > flags_.size()) return;
  NaiveFlag& flag = flags_[static_cast<size_t>(handled.number) - 1];
  if (!handled.silenced_until) flag.acknowledged = true;
}

std::string NaiveRun::FlagsDiffer(const Run& run) const {
  const std::vector<BookedFlag>& found = *run.flags().flags();
  if (found.size() != flags_.size()) return absl::StrCat(found.size(), " flags and not ", flags_.size());
  for (size_t i = 0; i < flags_.size(); ++i) {
    const NaiveFlag& flag = flags_[i];
    if (found[i].flag.kind != flag.kind || found[i].flag.metric != flag.metric ||
        found[i].flag.active() != flag.active || (found[i].acknowledged_at != 0) != flag.acknowledged) {
      return absl::StrCat("flag ", i + 1, " differs");
    }
  }
  return "";
}

std::optional<Step> NaiveRun::WhereTo(const Writer& writer, const BatchAppended& batch) const {
  std::optional<Step> lowest, lowest_of_objective;
  for (const Column& column : batch.columns) {
    for (const Step step : column.steps) {
      lowest = std::min(step, lowest.value_or(step));
      if (column.metric == objective_) lowest_of_objective = std::min(step, lowest_of_objective.value_or(step));
    }
  }
  if (writer.resume_step) return lowest ? writer.resume_step : std::nullopt;
  auto objective = metrics_.find(objective_);
  const bool writes_it =
      objective != metrics_.end() && !objective->second.points.empty() && objective->second.writer == batch.writer;
  return writes_it ? lowest_of_objective : lowest;
}

std::string NaiveRun::DiffersFrom(const Run& run) const {
  if (run.state() != state_) return "its state differs";
  if (std::string flags = FlagsDiffer(run); !flags.empty()) return flags;
  for (const auto& [name, writer] : writers_) {
    const Run::Writer* found = run.FindWriter(name);
    if (found == nullptr || found->incarnation != writer.incarnation || found->last_sequence != writer.last_sequence) {
      return absl::StrCat("writer \"", name, "\" differs");
    }
  }
  for (const auto& [name, metric] : metrics_) {
    const Curve* curve = run.FindCurve(name);
    if (curve == nullptr) return absl::StrCat("metric ", name, " is missing");
    auto bin = curve->bins().begin();
    int64_t non_finite = 0;
    for (const auto& [step, value] : metric.points) {
      if (!std::isfinite(value)) {
        ++non_finite;
        continue;
      }
      if (bin == curve->bins().end() || bin->first_step != step || bin->count != 1 || bin->last_value != value) {
        return absl::StrCat("metric ", name, " differs at step ", step);
      }
      ++bin;
    }
    if (bin != curve->bins().end()) return absl::StrCat("metric ", name, " has more points than were reported");
    if (curve->non_finite_points() != non_finite) {
      return absl::StrCat("metric ", name, " has ", curve->non_finite_points(), " non-finite points, not ", non_finite);
    }
  }
  return "";
}

}  // namespace curvecast
