#include "core/engine/admission.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

absl::Status TakenOver(uint64_t older, uint64_t newer) {
  return absl::FailedPreconditionError(absl::StrCat("open.incarnation: is ", older, ", but incarnation ", newer,
                                                    " of this writer has taken over; stop the older process"));
}

}  // namespace

Admission::Staged Admission::Known(const WriterKey& writer) const {
  if (auto at = staged_.find(writer); at != staged_.end()) return at->second;
  const Run* run = engine_.Find(writer.first);
  const Run::Writer* known = run == nullptr ? nullptr : run->FindWriter(writer.second);
  return known == nullptr ? Staged{} : Staged{known->incarnation, known->last_sequence};
}

absl::StatusOr<Admission::Admitted> Admission::Admit(Event& event, const Channel& channel) {
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) {
    refused_.erase({channel.stream.get(), channel.number});
    return AdmitOpen(event.key, *opened);
  }
  if (auto* batch = std::get_if<BatchAppended>(&event.body)) return AdmitBatchOn(channel, event.key, *batch);
  if (const auto* handled = std::get_if<FlagHandled>(&event.body)) return AdmitHandled(event.key, *handled);
  // Our own forecasts and flags: of a run that is there.
  if (engine_.Find(event.key) == nullptr)
    return absl::FailedPreconditionError("a forecast or a flag of an unknown run");
  return Admitted{};
}

absl::Status Admission::CheckRoom() const {
  if (engine_.running() + staged_runs_.size() >= limits_.max_runs) {
    return absl::ResourceExhaustedError(
        absl::StrCat("max_runs: ", limits_.max_runs, " runs are under way already; raise limits.max_runs"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Admission::Admitted> Admission::AdmitOpen(const RunKey& key, const RunOpened& opened) {
  const WriterKey writer{key, opened.writer};
  const Staged known = Known(writer);
  if (opened.incarnation < known.incarnation) return TakenOver(opened.incarnation, known.incarnation);
  const Run* run = engine_.Find(key);
  const bool is_new_run = run == nullptr && !staged_runs_.contains(key);
  if (is_new_run) {
    if (absl::Status status = CheckRoom(); !status.ok()) return status;
  }
  if (known.incarnation == 0 && run != nullptr && run->writers() >= Run::kMaxWriters) {
    return absl::ResourceExhaustedError(absl::StrCat("open.writer: the run has ", run->writers(),
                                                     " writers already, and more are not kept; use them again"));
  }
  if (opened.incarnation == known.incarnation && run != nullptr && run->spec() == opened.spec) {
    return Admitted{.verdict = Verdict::kKnown};
  }
  if (is_new_run) staged_runs_[key] = opened.spec.objective;
  staged_[writer] = {opened.incarnation, opened.incarnation == known.incarnation ? known.last_sequence : 0};
  return Admitted{};
}

absl::StatusOr<Admission::Admitted> Admission::AdmitBatchOn(const Channel& channel, const RunKey& key,
                                                            BatchAppended& batch) {
  if (channel.stream == nullptr) return AdmitBatch(key, batch);
  const std::pair<const void*, uint32_t> name{channel.stream.get(), channel.number};
  if (refused_.contains(name)) {
    return absl::FailedPreconditionError("channel: a batch before this one was refused; send open first");
  }
  absl::StatusOr<Admitted> admitted = AdmitBatch(key, batch);
  if (!absl::IsFailedPrecondition(admitted.status())) return admitted;
  if (refused_.size() >= sweep_refused_at_) {
    absl::erase_if(refused_, [](const auto& entry) { return entry.second.expired(); });
    sweep_refused_at_ = 64 + 2 * refused_.size();
  }
  refused_[name] = channel.stream;
  return admitted;
}

absl::StatusOr<Admission::Admitted> Admission::AdmitBatch(const RunKey& key, BatchAppended& batch) {
  const WriterKey writer{key, batch.writer};
  const Staged known = Known(writer);
  if (known.incarnation == 0) {
    return absl::FailedPreconditionError("channel: its run has not been opened; send open first");
  }
  if (batch.incarnation != known.incarnation) return TakenOver(batch.incarnation, known.incarnation);
  if (batch.sequence <= known.last_sequence) return Admitted{.verdict = Verdict::kKnown};
  staged_[writer] = {batch.incarnation, batch.sequence};
  return Admitted{.left_out = LeaveOutNewMetrics(key, batch)};
}

absl::StatusOr<Admission::Admitted> Admission::AdmitHandled(const RunKey& key, const FlagHandled& handled) const {
  const Run* run = engine_.Find(key);
  if (run == nullptr) {
    return absl::NotFoundError(absl::StrCat("no run \"", key.run_id, "\" in project \"", key.project, "\""));
  }
  if (run->flags().Find(handled.number) != nullptr) return Admitted{};
  return absl::NotFoundError(absl::StrCat("number: run \"", key.run_id, "\" has no flag ", handled.number,
                                          "; it has had ", run->flags().raised(), ", of which the newest ",
                                          FlagBook::kMaxFlags, " are kept"));
}

// A job that logs one metric too many must not lose the others: only what has no room is left out.
absl::Status Admission::LeaveOutNewMetrics(const RunKey& key, BatchAppended& batch) {
  const Run* run = engine_.Find(key);
  absl::flat_hash_set<std::string>& staged = staged_metrics_[key];
  const std::string& objective = run != nullptr ? run->spec().objective : staged_runs_.at(key);
  const auto held = [&](const std::string& metric) {
    return (run != nullptr && run->FindCurve(metric) != nullptr) || staged.contains(metric);
  };
  std::string left_out;
  std::erase_if(batch.columns, [&](const Column& column) {
    if (held(column.metric)) return false;
    // The objective's place is kept for it.
    const size_t taken = (run == nullptr ? 0 : run->metrics()) + staged.size() + (held(objective) ? 0 : 1);
    if (column.metric != objective && taken >= limits_.max_metrics_per_run) {
      left_out = column.metric;
      return true;
    }
    staged.insert(column.metric);
    return false;
  });
  if (left_out.empty()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "max_metrics_per_run: run ", key.project, "/", key.run_id, " has ", limits_.max_metrics_per_run,
      " metrics already, so that \"", left_out,
      "\" is left out (the batch's other metrics are kept); raise limits.max_metrics_per_run or log fewer"));
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
