#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/board.h"
#include "core/engine/event.h"
#include "core/engine/project.h"
#include "core/engine/run.h"

namespace curvecast {

// Each change as an event of the run.
void AddChanges(std::vector<FlagChange> changes, const RunKey& key, int64_t time_unix_micros,
                std::vector<Event>& events);

// The state of the daemon: a fold over events. One thread owns it. It has no clock and does no I/O; given the same
// events it is the same, bit for bit.
class Engine {
 public:
  struct Effect : Run::Effect {
    std::vector<PastKey> changed_pasts = {};  // Two at most: a run may be declared anew with another objective.
    // What the watch makes of the event: each belongs into the journal as a FlagChanged, and then into Apply. In a
    // replay they are dropped, since the journal has them already.
    std::vector<FlagChange> flag_changes = {};
  };

  Engine() : Engine(Prior::Shipped(), {}) {}
  // `prior`: for what a finished run teaches, and for the watch; outlives this.
  // `elsewhere`: what runs are watched by whose own project has finished none here (a replay of a single run); or null.
  Engine(const Prior& prior, const WatchOptions& watch, std::shared_ptr<const ProjectPast> elsewhere = nullptr);
  // The rest of the fold without the watch, which is most of its work: flags are those that the events say.
  static Engine Unwatched(const Prior& prior) { return Engine(prior, {prior, {}, /*kin_of=*/{}, /*on=*/false}); }
  Engine(const Engine&) = delete;  // The runs point into it.
  Engine& operator=(const Engine&) = delete;

  // The event is already in the journal, or would have been refused by Admission. An event that does not fit (a batch
  // of an unknown run: a journal of a future version) changes nothing and is INTERNAL.
  absl::StatusOr<Effect> Apply(const Event& event);

  // What has to be journaled, and then applied, because time has passed. Not before Reconcile, about once a second; it
  // looks at every run.
  std::vector<Event> Tick(int64_t now_unix_micros);
  // The same for more runs that are over than this: those that ended first go.
  std::vector<Event> Evict(size_t max_finished_runs, int64_t now_unix_micros) const;
  // Until now nobody could be heard: the silence of runs counts from here.
  void Resume(int64_t now_unix_micros);
  // After a replay: what has to be journaled, and then applied, for the flags to be those that the watch holds.
  std::vector<Event> Reconcile(int64_t now_unix_micros);

  const Run* Find(const RunKey& key) const;
  Run* FindMutable(const RunKey& key);
  size_t runs() const { return runs_.size(); }
  size_t running() const { return running_; }                     // Of these those that are not over.
  void ForEach(absl::FunctionRef<void(const Run&)> visit) const;  // In order of key.

  // The finished runs of a project that have one objective; null if there has been none.
  std::shared_ptr<const ProjectPast> Past(const PastKey& key) const;
  void ForEachPast(absl::FunctionRef<void(const PastKey&)> visit) const;  // In order of key.

  // What the fold depends on besides its events and this code, in words that can be compared.
  std::string settings() const;

  // A snapshot: every event folded up to BeginSave, as records that are taken piece by piece, with other work and other
  // events in between (a run that one of them changes is written out before). An engine that loads the pieces is the
  // one that has folded those events, bit for bit.
  void BeginSave();
  // Appends records to `piece` until it holds so many bytes, or somewhat more. True: that was all.
  bool Save(size_t bytes, std::string& piece);
  void EndSave() { saving_.reset(); }  // It is given up, or done.
  // Takes up a piece. DATA_LOSS if it is none of a snapshot: then Clear.
  absl::Status Load(std::string_view piece);
  void Clear();
  // The same records at once and in order of key, so that equal engines have equal bytes.
  std::string State() const;

  // A view of every run; those that have not changed since the last call are shared with it.
  std::shared_ptr<const Board> Publish(int64_t now_unix_micros);

 private:
  struct Entry {
    std::unique_ptr<Run> run;
    std::shared_ptr<const RunView> view;
    uint64_t view_version = 0;
    uint64_t saved_in = 0;  // The number of the newest snapshot that has it, or that it is too new for.
  };
  struct PastEntry {
    Project project;
    uint64_t saved_in = 0;
  };
  // One that is being taken.
  struct Saving {
    std::string ahead;  // Records of what was about to change.
    RunKey next_run;    // All below were looked at, as well as ...
    PastKey next_past;
    bool runs_done = false;
  };
  Engine(const Prior& prior, const Watching& watching) : prior_(prior), watching_(watching) {}
  void SaveBeforeChange(const RunKey& key, Entry& entry);
  void SaveBeforeChange(const PastKey& key, PastEntry& past);
  PastEntry* FindPast(const PastKey& key);  // Null if there is none. To change it.
  Effect ApplyTo(Run& run, const Event& event);
  Effect Restore(Run& run, const CurveKept& kept);
  Effect Reopen(Run& run, const RunOpened& opened);
  Effect Append(Run& run, const BatchAppended& batch, int64_t time_unix_micros);
  void Settle(const Run& run, Effect& effect);  // Takes it into its past, or out.
  std::shared_ptr<const Belief> KinOf(const RunSpec& spec, Step newest) const;

  const Prior& prior_;
  const std::shared_ptr<const ProjectPast> elsewhere_;
  const Watching watching_;
  absl::btree_map<RunKey, Entry> runs_;
  size_t running_ = 0;
  absl::btree_map<PastKey, PastEntry> projects_;  // Those that had a run to learn from.
  uint64_t snapshots_ = 0;                        // Begun.
  std::optional<Saving> saving_;
};

}  // namespace curvecast
