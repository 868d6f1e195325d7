#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/engine/admission.h"
#include "core/engine/engine.h"
#include "core/ports/memory_journal.h"
#include "core/ports/memory_snapshot_store.h"

namespace curvecast {

// The order of EngineThread, a step at a time and without threads: admit, append, apply, answer. The engine, its
// admission, its flags and the journal are the real ones; inbox, board and the threads that fit are not here, and
// forecasts are made up.
class SteppedDaemon {
 public:
  struct Answer {
    enum class Kind { kOpened, kAck, kRejected } kind = Kind::kAck;
    uint64_t sequence = 0;  // Expected next, of an open.
    absl::Status status;
  };
  struct Request {
    Event event;
    std::function<void(const Answer&)> answer;
    std::shared_ptr<const void> stream;
  };
  // kFlagsUnsynced and kFlagsSynced: with what the watch made of the transaction appended as well.
  enum class Moment { kBeforeAppend, kUnsynced, kSynced, kApplied, kFlagsUnsynced, kFlagsSynced };
  static constexpr int kMoments = 6;

  SteppedDaemon(MemoryJournal& journal, EngineLimits limits) : journal_(journal), limits_(limits) { Start(); }

  // One turn of the loop. False if the journal did not take the transaction: it waits, and is tried again by the next
  // turn, which then takes no requests.
  bool Turn(std::vector<Request> requests);
  // One turn in which the process dies at that moment, then a start. What was handed in is not answered. Empty, or how
  // the active flags differ from those that the dead process had made of what is on disk.
  std::string DieIn(std::vector<Request> requests, Moment moment);
  bool stuck() const { return !staged_.empty(); }

  // What a person does with a flag joins the next transaction, if it is admitted.
  void Handle(const RunKey& key, FlagHandled handled, int64_t now);
  // It is this late.
  void Tick(int64_t now);
  // A forecast of the run as it is now joins the next transaction, if the journal keeps it.
  void Forecast(const RunKey& key, int64_t now);

  // Goes on with a snapshot, or begins one: a piece, in which the engine's thread does nothing else.
  void TakePieceOfSnapshot(size_t bytes);
  int started_from_snapshots() const { return started_from_snapshots_; }

  Engine& engine() { return *engine_; }
  // The active flags, run, kind and metric, as they will be once all that is staged is kept.
  std::set<std::string> ActiveFlags() const;

 private:
  void Start();  // From the newest snapshot, if there is one, and replays what came after it.
  void Admit(Request request);
  bool Keep();  // Appends and applies, until nothing is staged. False if the journal did not take it.
  void Apply();
  void AnswerAll();

  MemoryJournal& journal_;
  const EngineLimits limits_;
  MemorySnapshotStore snapshots_;  // It survives deaths.
  int started_from_snapshots_ = 0;
  std::unique_ptr<SnapshotStore::Writing> snapshot_;  // Under way.
  std::unique_ptr<Engine> engine_;
  std::optional<Admission> admission_;
  std::vector<Event> staged_;
  int64_t now_ = 1;
  std::vector<std::pair<std::function<void(const Answer&)>, Answer>> pending_;
};

}  // namespace curvecast
