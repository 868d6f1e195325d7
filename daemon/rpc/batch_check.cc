#include "daemon/rpc/batch_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/convert/run_convert.h"

namespace curvecast {
namespace {

absl::Status Under(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ".", status.message()));
}

bool IsWriterName(const std::string& name) {
  constexpr size_t kMost = 64;
  if (name.size() > kMost) return false;
  for (char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '+' && c != '-') return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<RunOpened> CheckOpen(const v1::Open& open) {
  absl::StatusOr<RunSpec> spec = ToRunSpec(open.run());
  if (!spec.ok()) return Under("open.run", spec.status());
  if (!IsWriterName(open.writer())) {
    return absl::InvalidArgumentError(
        absl::StrCat("open.writer: is \"", open.writer().substr(0, 80),
                     "\"; write at most 64 characters of [A-Za-z0-9._+-], or leave it out"));
  }
  if (open.incarnation() == 0) {
    return absl::InvalidArgumentError(
        "open.incarnation: is 0; write a number that grows with every restart, such as the "
        "start time in microseconds");
  }
  if (open.has_resume_step() && (open.resume_step() < 0 || open.resume_step() > kMaxStep)) {
    return absl::InvalidArgumentError(
        absl::StrCat("open.resume_step: is ", open.resume_step(), "; steps are 0 to 2^53"));
  }
  RunOpened opened{*std::move(spec), open.writer(), open.incarnation(), std::nullopt};
  if (open.has_resume_step()) opened.resume_step = open.resume_step();
  return opened;
}

absl::StatusOr<BatchAppended> CheckBatch(const v1::Batch& batch, int64_t max_points) {
  if (batch.sequence() == 0)
    return absl::InvalidArgumentError("batch.sequence: is 0; count this incarnation's batches from 1");
  int64_t points = 0;
  for (const v1::Points& column : batch.points()) points += column.step_size();
  if (points > max_points) {
    return absl::InvalidArgumentError(absl::StrCat("batch.points: has ", points, " points; at most ", max_points,
                                                   " (limits.max_points_per_batch): send smaller batches"));
  }
  if (batch.points_size() > kMaxColumns) {
    return absl::InvalidArgumentError(absl::StrCat("batch.points: has ", batch.points_size(), " columns; at most ",
                                                   kMaxColumns, ": send one a metric"));
  }
  BatchAppended appended;
  appended.sequence = batch.sequence();
  for (int i = 0; i < batch.points_size(); ++i) {
    if (batch.points(i).step().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("batch.points[", i, "].step: is empty; leave the column out"));
    }
    absl::StatusOr<Column> column = ToColumn(batch.points(i));
    if (!column.ok()) return Under(absl::StrCat("batch.points[", i, "]"), column.status());
    appended.columns.push_back(*std::move(column));
  }
  if (batch.has_end()) {
    absl::StatusOr<RunState> end = ToEnd(batch.end());
    if (!end.ok()) return Under("batch.end", end.status());
    appended.end = *end;
  }
  if (batch.has_phase()) {
    absl::StatusOr<Phase> phase = ToPhase(batch.phase());
    if (!phase.ok()) return Under("batch.phase", phase.status());
    appended.phase = *std::move(phase);
  }
  return appended;
}

}  // namespace curvecast
