#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/engine/board.h"
#include "core/engine/run_compactor.h"
#include "core/ports/clock.h"
#include "core/ports/compactable_journal.h"
#include "daemon/loop/retention_metrics.h"

namespace curvecast {

// Drops the raw points of runs that are over, by age and by the journal's size, and keeps the rest of them for ever:
// the curve, forecasts, flags. Used by one thread, which is not the engine's: the engine's state stays what it is,
// since the journal folds to the same before and after.
//
// It reads the journal in pieces, in order, and hands each due run's events to a RunCompactor. Whoever appends waits
// for a piece or for one replacement at most.
class Retention {
 public:
  struct Options {
    int64_t raw_points_micros = 0;  // After a run's end; 0: for ever.
    int64_t max_journal_bytes = 0;  // Past it, the oldest ended runs first; 0: no limit.
    int64_t grace_micros = 0;       // After its end every run is left alone for so long.
    size_t max_runs = 256;          // In one round: a few tens of KB of memory each.
    size_t piece_bytes = 256 << 10;
    RunCompactor::Options compactor = {.max_rows = 1024, .max_bytes = 256 << 10};
  };
  struct Round {
    size_t due = 0;           // Runs that the policy says should go ...
    size_t compacted = 0;     // ... and those of which something went.
    int64_t points = 0;       // That were dropped.
    bool over_limit = false;  // The journal is larger than it should be, and nothing is left that may go.
    bool more = false;        // Runs are due still.
  };

  Retention(Options options, CompactableJournal& journal, Clock& clock, RetentionMetrics& metrics, const Prior& prior)
      : options_(options), journal_(journal), clock_(clock), metrics_(metrics), prior_(prior) {}

  // A run that was over is let go of by the engine, so no board has it any more; its raw points may go as before.
  // Thread-safe.
  void Evicted(const RunKey& key, int64_t ended_at);

  bool enabled() const { return options_.raw_points_micros > 0 || options_.max_journal_bytes > 0; }

  // Does what is due. `pause` is called between pieces with the time that the last one took; if it returns false the
  // round ends, CANCELLED. An error of the journal ends it too; what was replaced until then is right.
  absl::StatusOr<Round> Do(const Board& board, absl::FunctionRef<bool(int64_t busy_micros)> pause);

 private:
  struct Due {
    RunKey key;
    int64_t ended_at = 0;
    int64_t bytes = 0;  // Of raw points, about.
  };
  using Compactors = std::map<RunKey, std::unique_ptr<RunCompactor>>;

  void IsDone(const Due& run);
  std::vector<Due> WhatMayGo(const Board& board);
  absl::StatusOr<std::vector<Due>> WhatIsDue(const Board& board, Round& round);
  absl::Status TakeCensus(absl::FunctionRef<bool(int64_t)> pause);
  absl::Status Sweep(Compactors& compactors, Round& round, absl::FunctionRef<bool(int64_t)> pause);
  absl::Status Keep(absl::StatusOr<std::optional<Replacement>> made, Round& round);
  // Every event up to the newest, piece by piece.
  absl::Status ForEach(absl::FunctionRef<absl::Status(StoredEvent)> visit, absl::FunctionRef<bool(int64_t)> pause);

  const Options options_;
  CompactableJournal& journal_;
  Clock& clock_;
  RetentionMetrics& metrics_;
  const Prior& prior_;
  bool counted_ = false;  // raw_bytes_ says what the journal held at the start.
  absl::flat_hash_map<RunKey, size_t> raw_bytes_;
  absl::flat_hash_map<RunKey, int64_t> done_;  // With the end that it had then.
  absl::flat_hash_set<RunKey> touched_;        // In this round.
  std::mutex mutex_;
  absl::flat_hash_map<RunKey, int64_t> evicted_;  // Guarded by mutex_: with their ends, until they are done.
};

}  // namespace curvecast
