#include "core/engine/admission.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"

namespace curvecast {

Admission::Staged Admission::Known(const WriterKey& writer) const {
  if (auto at = staged_.find(writer); at != staged_.end()) return at->second;
  const Run* run = engine_.Find(writer.first);
  const Run::Writer* known = run == nullptr ? nullptr : run->FindWriter(writer.second);
  return known == nullptr ? Staged{} : Staged{known->incarnation, known->last_sequence};
}

absl::StatusOr<Admission::Verdict> Admission::Admit(const Event& event) {
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) return AdmitOpen(event, *opened);
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) return AdmitBatch(event, *batch);
  // Our own forecasts: of a run that is there.
  if (engine_.Find(event.key) == nullptr) return absl::FailedPreconditionError("a forecast of an unknown run");
  return Verdict::kStage;
}

absl::StatusOr<Admission::Verdict> Admission::AdmitOpen(const Event& event, const RunOpened& opened) {
  const WriterKey writer{event.key, opened.writer};
  const Staged known = Known(writer);
  if (opened.incarnation < known.incarnation) {
    return absl::FailedPreconditionError(absl::StrCat("open.incarnation: is ", opened.incarnation, ", but incarnation ",
                                                      known.incarnation,
                                                      " of this writer has taken over; stop the older process"));
  }
  const Run* run = engine_.Find(event.key);
  const bool is_new_run = run == nullptr && !staged_runs_.contains(event.key);
  if (is_new_run && engine_.runs() + staged_runs_.size() >= limits_.max_runs) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "max_runs: ", limits_.max_runs, " runs are held already; raise limits.max_runs or remove old runs"));
  }
  const size_t writers = run == nullptr ? 0 : run->writers();
  if (known.incarnation == 0 && writers >= Run::kMaxWriters) {
    return absl::ResourceExhaustedError(absl::StrCat("kMaxWriters: run has ", writers, " writers already"));
  }
  if (opened.incarnation == known.incarnation && run != nullptr && run->spec() == opened.spec) return Verdict::kKnown;
  if (is_new_run) staged_runs_.insert(event.key);
  staged_[writer] = {opened.incarnation, opened.incarnation == known.incarnation ? known.last_sequence : 0};
  return Verdict::kStage;
}

absl::StatusOr<Admission::Verdict> Admission::AdmitBatch(const Event& event, const BatchAppended& batch) {
  const WriterKey writer{event.key, batch.writer};
  const Staged known = Known(writer);
  if (known.incarnation == 0) {
    return absl::FailedPreconditionError("channel: its run has not been opened; send open first");
  }
  if (batch.incarnation != known.incarnation) {
    return absl::FailedPreconditionError(absl::StrCat("open.incarnation: is ", batch.incarnation, ", but incarnation ",
                                                      known.incarnation,
                                                      " of this writer has taken over; stop the older process"));
  }
  if (batch.sequence <= known.last_sequence) return Verdict::kKnown;

  const Run* run = engine_.Find(event.key);
  absl::flat_hash_set<std::string>& staged_metrics = staged_metrics_[event.key];
  absl::flat_hash_set<std::string> new_metrics;
  for (const Column& column : batch.columns) {
    const bool held = run != nullptr && run->FindCurve(column.metric) != nullptr;
    if (!held && !staged_metrics.contains(column.metric)) new_metrics.insert(column.metric);
  }
  const size_t metrics = (run == nullptr ? 0 : run->metrics()) + staged_metrics.size() + new_metrics.size();
  if (!new_metrics.empty() && metrics > limits_.max_metrics_per_run) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "max_metrics_per_run: this batch would bring run ", event.key.project, "/", event.key.run_id, " to ", metrics,
        " metrics of at most ", limits_.max_metrics_per_run, "; raise limits.max_metrics_per_run or log fewer"));
  }
  staged_metrics.insert(new_metrics.begin(), new_metrics.end());
  staged_[writer] = {batch.incarnation, batch.sequence};
  return Verdict::kStage;
}

uint64_t Admission::ExpectedSequence(const RunKey& key, const std::string& writer, uint64_t incarnation) const {
  const Staged known = Known({key, writer});
  return known.incarnation == incarnation ? known.last_sequence + 1 : 1;
}

void Admission::Clear() {
  staged_.clear();
  staged_runs_.clear();
  staged_metrics_.clear();
}

}  // namespace curvecast
