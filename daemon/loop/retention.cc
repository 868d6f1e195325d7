#include "daemon/loop/retention.h"

#include <algorithm>
#include <utility>

namespace curvecast {
namespace {

constexpr int64_t kBytesAPoint = 11;     // About, in a batch.
constexpr size_t kLeastRawBytes = 1024;  // Less of a run is not worth a look.

int64_t PointsOf(const RunView& run) {
  int64_t points = 0;
  for (const MetricView& metric : run.metrics) points += metric.points + metric.non_finite_points;
  return points;
}

}  // namespace

absl::StatusOr<Retention::Round> Retention::Do(const Board& board, absl::FunctionRef<bool(int64_t)> pause) {
  Round round;
  if (enabled() && !counted_) {
    if (absl::Status status = TakeCensus(pause); !status.ok()) return status;
    counted_ = true;
    for (const auto& run : board.runs) {
      const auto raw = raw_bytes_.find(run->spec->key);
      const bool little = raw == raw_bytes_.end() || raw->second < kLeastRawBytes;
      if (run->ended_at_unix_micros != 0 && little) done_[run->spec->key] = run->ended_at_unix_micros;
    }
    raw_bytes_.clear();
  }
  absl::StatusOr<std::vector<Due>> due = WhatIsDue(board, round);
  if (!due.ok()) return due.status();
  metrics_.over_limit.Set(round.over_limit ? 1 : 0);
  if (due->empty()) return round;
  Compactors compactors;
  for (const Due& run : *due) {
    compactors.emplace(run.key, std::make_unique<RunCompactor>(prior_, run.ended_at, options_.compactor));
  }
  touched_.clear();
  if (absl::Status status = Sweep(compactors, round, pause); !status.ok()) return status;
  for (const Due& run : *due) IsDone(run);
  round.compacted = touched_.size();
  metrics_.compacted_runs.Increment(static_cast<double>(round.compacted));
  return round;
}

void Retention::Evicted(const RunKey& key, int64_t ended_at) {
  std::lock_guard lock(mutex_);
  if (enabled()) evicted_[key] = ended_at;
}

void Retention::IsDone(const Due& run) {
  std::lock_guard lock(mutex_);
  if (auto at = evicted_.find(run.key); at != evicted_.end() && at->second == run.ended_at) {
    evicted_.erase(at);
    done_.erase(run.key);
  } else {
    done_[run.key] = run.ended_at;
  }
}

// In order of their ends.
std::vector<Retention::Due> Retention::WhatMayGo(const Board& board) {
  const int64_t now = clock_.NowUnixMicros();
  std::vector<Due> may_go;
  const auto add = [&](const RunKey& key, int64_t ended_at, int64_t points) {
    if (ended_at == 0 || now - ended_at < options_.grace_micros) return;
    const auto done = done_.find(key);
    if (done != done_.end() && done->second == ended_at) return;
    may_go.push_back({key, ended_at, kBytesAPoint * points});
  };
  for (const auto& run : board.runs) add(run->spec->key, run->ended_at_unix_micros, PointsOf(*run));
  {
    std::lock_guard lock(mutex_);
    // Of one that is under way anew the older life goes with the newer one.
    for (const auto& [key, ended_at] : evicted_) {
      if (board.Find(key) == nullptr) add(key, ended_at, 0);
    }
  }
  std::sort(may_go.begin(), may_go.end(), [](const Due& a, const Due& b) {
    return a.ended_at != b.ended_at ? a.ended_at < b.ended_at : a.key < b.key;
  });
  return may_go;
}

absl::StatusOr<std::vector<Retention::Due>> Retention::WhatIsDue(const Board& board, Round& round) {
  const absl::StatusOr<JournalSize> size = journal_.Size();
  if (!size.ok()) return size.status();
  metrics_.journal_events.Set(static_cast<double>(size->events));
  metrics_.journal_used_bytes.Set(static_cast<double>(size->used_bytes));
  metrics_.journal_file_bytes.Set(static_cast<double>(size->file_bytes));
  if (!enabled()) return std::vector<Due>();

  const int64_t now = clock_.NowUnixMicros();
  const std::vector<Due> may_go = WhatMayGo(board);
  int64_t excess = options_.max_journal_bytes > 0 ? size->used_bytes - options_.max_journal_bytes : 0;
  round.over_limit = excess > 0 && may_go.empty();
  std::vector<Due> due;
  for (const Due& run : may_go) {
    const bool old = options_.raw_points_micros > 0 && now - run.ended_at >= options_.raw_points_micros;
    if (!old && excess <= 0) break;  // The next ones ended later.
    if (excess > 0) excess -= run.bytes;
    ++round.due;
    if (due.size() < options_.max_runs) due.push_back(run);
  }
  round.more = round.due > due.size();
  return due;
}

absl::Status Retention::TakeCensus(absl::FunctionRef<bool(int64_t)> pause) {
  return ForEach(
      [this](const StoredEvent& stored) {
        size_t& raw = raw_bytes_[stored.event.key];
        if (std::holds_alternative<BatchAppended>(stored.event.body)) raw += stored.bytes;
        if (const auto* evicted = std::get_if<RunEvicted>(&stored.event.body)) {
          if (raw >= kLeastRawBytes) Evicted(stored.event.key, evicted->ended_at);
          raw_bytes_.erase(stored.event.key);
        }
        return absl::OkStatus();
      },
      pause);
}

absl::Status Retention::Sweep(Compactors& compactors, Round& round, absl::FunctionRef<bool(int64_t)> pause) {
  const auto keep = [&](const RunKey& key, absl::StatusOr<std::optional<Replacement>> made) {
    if (made.ok()) return Keep(std::move(made), round);
    metrics_.runs_left.Increment();  // It stays as it is.
    compactors.erase(key);
    return absl::OkStatus();
  };
  absl::Status status = ForEach(
      [&](StoredEvent stored) {
        const auto at = compactors.find(stored.event.key);
        if (at == compactors.end()) return absl::OkStatus();
        const RunKey key = at->first;
        return keep(key, at->second->Take(std::move(stored)));
      },
      pause);
  if (!status.ok()) return status;
  while (!compactors.empty()) {
    const auto first = compactors.begin();
    const RunKey key = first->first;
    const int64_t start = clock_.MonotonicMicros();
    if (absl::Status kept = keep(key, first->second->Finish()); !kept.ok()) return kept;
    compactors.erase(key);
    if (!pause(clock_.MonotonicMicros() - start)) return absl::CancelledError("told to stop");
  }
  return absl::OkStatus();
}

absl::Status Retention::Keep(absl::StatusOr<std::optional<Replacement>> made, Round& round) {
  if (!made->has_value()) return absl::OkStatus();
  const Replacement& replacement = **made;
  int64_t points = std::get<CurveKept>(replacement.kept.body).points;
  const int64_t start = clock_.MonotonicMicros();
  if (absl::Status status = journal_.Replace(replacement); !status.ok()) return status;
  metrics_.replace_seconds.Observe(static_cast<double>(clock_.MonotonicMicros() - start) * 1e-6);
  touched_.insert(replacement.kept.key);
  points -= replacement.points_before;
  round.points += points;
  metrics_.compacted_points.Increment(static_cast<double>(points));
  return absl::OkStatus();
}

absl::Status Retention::ForEach(absl::FunctionRef<absl::Status(StoredEvent)> visit,
                                absl::FunctionRef<bool(int64_t)> pause) {
  const absl::StatusOr<JournalSize> size = journal_.Size();
  if (!size.ok()) return size.status();
  for (int64_t next = 1; next <= size->last_id;) {
    const int64_t start = clock_.MonotonicMicros();
    absl::StatusOr<std::vector<StoredEvent>> piece = journal_.Read(next, options_.piece_bytes);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) break;
    for (StoredEvent& stored : *piece) {
      next = stored.id + 1;
      if (stored.id > size->last_id) break;
      if (absl::Status status = visit(std::move(stored)); !status.ok()) return status;
    }
    if (!pause(clock_.MonotonicMicros() - start)) return absl::CancelledError("told to stop");
  }
  return absl::OkStatus();
}

}  // namespace curvecast
