#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/engine/engine.h"
#include "core/ports/clock.h"
#include "core/ports/journal.h"
#include "core/ports/snapshot_store.h"
#include "daemon/loop/loop_metrics.h"

namespace curvecast {

// Takes snapshots of the engine, so that a start has to replay only what came after the newest. Owned and called by the
// engine's thread, between two transactions: it takes a piece a turn, which holds the thread up for a millisecond or
// two, and hands it to a thread that writes and syncs. A snapshot that fails costs nothing but a longer start.
//
// One whose newest event was replaced in the journal since (CompactableJournal) is of no use any more: another is
// taken.
class SnapshotTaker {
 public:
  struct Options {
    // One is due once so much was folded since the newest.
    int64_t after_events = 100'000;
    int64_t after_points = 1'000'000;
  };
  struct Parts {
    Engine& engine;
    Journal& journal;
    SnapshotStore* store;  // Null: none is ever taken.
    Clock& clock;
    LoopMetrics& metrics;
    std::function<void(const absl::Status&)> on_failure;
  };

  SnapshotTaker(Options options, Parts parts);
  ~SnapshotTaker();  // Gives up the one that is under way.

  // The engine has loaded the newest, which is of this event.
  void Loaded(const JournalMark& newest) { newest_ = newest; }
  // The event was folded.
  void Folded(const Event& event);
  // Begins one if it is due, or goes on with the one that is under way.
  void Step();
  // When Step would like to be called again.
  std::chrono::milliseconds NextWait() const;
  // The whole of one, if anything was folded since the newest or that is of no use. Blocks until it is on disk.
  void TakeLast();

 private:
  // How long it rests after one, in times that it took: a state that takes a second to write is not written every
  // second.
  static constexpr int64_t kRest = 10;
  static constexpr int64_t kRestAfterFailureMicros = 60'000'000;
  static constexpr int64_t kLookMicros = 60'000'000;  // Between two looks whether the newest is of use.
  struct Tail {
    int64_t events = 0, points = 0;
  };
  class Writer;  // A snapshot under way, and the thread that writes it.

  bool IsDue();
  bool IsOfUse();  // The newest; true if there is none.
  absl::StatusOr<SnapshotOf> Begin();
  void SavePiece();
  void Ended(const absl::Status& status);

  const Options options_;
  Parts parts_;
  Tail tail_;                          // Since the newest snapshot, or the one under way.
  Tail before_;                        // Between the newest and the one under way.
  std::optional<JournalMark> newest_;  // Of the newest snapshot.
  JournalMark begun_;                  // Of the one under way.
  int64_t look_at_ = 0;                // Monotonic microseconds, as the next two.
  std::unique_ptr<Writer> writer_;
  bool saved_all_ = false;
  int64_t began_at_ = 0;
  int64_t rests_until_ = 0;
};

}  // namespace curvecast
