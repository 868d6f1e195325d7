#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "core/base/check.h"
#include "core/engine/admission.h"
#include "core/engine/engine.h"
#include "core/ports/clock.h"
#include "core/ports/journal.h"
#include "core/ports/snapshot_store.h"
#include "daemon/loop/board_holder.h"
#include "daemon/loop/fit_planner.h"
#include "daemon/loop/fit_pool.h"
#include "daemon/loop/inbox.h"
#include "daemon/loop/loop_metrics.h"
#include "daemon/loop/snapshot_taker.h"

namespace curvecast {

// The one thread that owns the runs. It loads the newest snapshot and replays the journal from there on; then, for
// ever: takes what waits in the inbox, admits it, appends one transaction to the journal, applies it, publishes the
// board, and only then answers. Never another order: whatever was acknowledged is on disk, and in every answer given
// later.
//
// A board costs little but not nothing (it points at every run), so publishing is held to kPublishShare of this
// thread's time; answers wait for the next one.
//
// What the watch makes of a transaction (flags raised, updated, resolved) is a transaction of its own, right behind it
// and before the answers. About once a second the watch is told how late it is, for runs that have fallen silent.
//
// A journal that cannot keep a transaction (a full disk) is tried again with the same events until it can; the inbox
// fills up behind it and the streams stop reading, so that nothing is lost and memory stays bounded.
class EngineThread {
 public:
  struct Options {
    EngineLimits limits;
    WatchOptions watch;
    FitPlanner::Options fitting;
    SnapshotTaker::Options snapshots;
    size_t fit_threads = 1;
    std::chrono::milliseconds publish_interval{250};  // How often those who watch the board are told.
  };
  struct Parts {
    Journal& journal;
    Clock& clock;
    Inbox& inbox;
    BoardHolder& boards;
    LoopMetrics& metrics;
    // Called when a journal fails or works again, with what to tell the operator. On the engine's thread.
    std::function<void(const absl::Status&)> on_journal;
    // Called when something is refused, at most once a second. On the engine's thread.
    std::function<void(const RunKey&, const absl::Status&)> on_refused;
    // Called once if the journal cannot be replayed or is damaged: the daemon must stop. On the engine's thread.
    std::function<void(const absl::Status&)> on_fatal;
    SnapshotStore* snapshots = nullptr;  // Null: there are none.
    // Called when a snapshot is not used at the start, or could not be written. On the engine's thread.
    std::function<void(const absl::Status&)> on_snapshot = {};
    // Called when the wall clock was set, or the machine slept, with by how much. On the engine's thread.
    std::function<void(double seconds)> on_clock_set = [](double) {};
    // Called when a run that was over is let go of, once the journal says so. On the engine's thread.
    std::function<void(const RunKey&, int64_t ended_at)> on_evicted = [](const RunKey&, int64_t) {};
  };

  EngineThread(Options options, Parts parts, const Prior& prior);
  ~EngineThread();  // Stop().

  void Start();
  // Closes the inbox, keeps and answers what waits in it, and ends. What the journal refuses then is given up,
  // unacknowledged.
  void Stop();

  // For forecasts that are asked for. Lives as long as this.
  FitPool& fitters() { return fit_pool_; }

 private:
  static constexpr int64_t kPublishShare = 20;  // One part in 20.

  struct Handled {  // One that waits for its answer.
    Handling handling;
    absl::Status refused = absl::OkStatus();
  };
  struct Pending {  // An answer that waits for the commit and the board.
    std::shared_ptr<ReplySink> sink;
    Reply reply;
  };

  void Work();
  void KeepAsked(std::vector<Inbox::Item>& items);
  bool Replay();
  JournalMark LoadSnapshotIfAny();
  bool Loop();  // False if the journal ended it.
  void Take(Inbox::Item item);
  void Take(Ingest ingest);
  void Take(FitResult result);
  void Take(Handled& handled);
  void Refused(const RunKey& key, const absl::Status& why);
  void AnswerOpen(const Ingest& ingest, const RunOpened& opened);
  void Gather();  // Waits for more to commit, if the last transaction is so young.
  bool Commit();  // False if the thread must end.
  bool AppendUntilKept();
  void ApplyStaged();
  void Count(const Event& event, const Engine::Effect& effect);
  void NoticeClock();
  void TickIfDue();
  void OrderFits();
  void PublishIfDue(bool now);
  void Publish();
  void Answer();
  std::chrono::milliseconds NextWait() const;

  const Options options_;
  Parts parts_;
  Engine engine_;
  Admission admission_;
  FitPool fit_pool_;
  FitPlanner planner_;
  SnapshotTaker snapshots_;
  std::vector<Event> staged_;
  std::vector<Pending> pending_;
  std::vector<Question> questions_;
  std::vector<Handled> handled_;
  std::vector<FitResult> shown_;  // Forecasts that the journal does not keep.
  bool changed_ = false;
  absl::flat_hash_set<RunKey> opened_;  // By the events in staged_.
  bool told_ = true;                    // Watchers know the newest board.
  int64_t ordered_at_ = 0;
  int64_t committed_at_ = 0;  // The newest transaction began.
  int64_t publish_due_ = 0;   // Monotonic microseconds, as the next.
  int64_t told_at_ = 0;
  int64_t refusal_due_ = 0;
  int64_t tick_due_ = 0;
  int64_t clock_offset_ = 0;  // Of the wall clock to the monotonic one.
  int64_t ticked_at_ = 0;     // Unix microseconds.
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace curvecast
