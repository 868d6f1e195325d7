#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/archive.h"
#include "core/curve/curve.h"
#include "core/engine/board.h"
#include "core/engine/event.h"
#include "core/engine/flag_book.h"
#include "core/engine/run_plan.h"
#include "core/watch/watch.h"

namespace curvecast {

// What a run is watched with. Outlives the run.
struct Watching {
  const Prior& prior;
  WatchOptions options;
  // What the finished runs of its project say of a run that is at step `newest`; null: nothing.
  std::function<std::shared_ptr<const Belief>(const RunSpec& spec, Step newest)> kin_of = {};  // Or empty.
  bool on = true;  // Off: no run is watched, for whoever wants the rest of the fold alone.
};

// One run: what it declared, its curves, its writers, its forecasts, its flags. Owned by the engine's thread.
//
// While it runs, a Watch looks at every point. What the watch says comes out through TakeFlagChanges and changes
// nothing here: the flags of a run are what FlagChanged and FlagHandled events made them.
class Run {
 public:
  static constexpr size_t kMaxBranches = 4;        // Superseded branches kept for display.
  static constexpr size_t kMaxRewindsListed = 16;  // All are counted.
  static constexpr size_t kMaxWriters = 1024;      // Processes that write to one run.
  static constexpr double kCheckpoint = 0.01;      // Progress between two forecasts kept.

  // Life of one writing process.
  struct Writer {
    uint64_t incarnation = 0;
    uint64_t last_sequence = 0;
    bool rewind_pending = false;  // The next batch that says where this life resumes rewinds what the writer wrote ...
    std::optional<Step> resume_step;  // ... to this step if it was given.

    template <class Archive>
    void Fields(Archive& archive) {
      archive(incarnation, last_sequence, rewind_pending, resume_step);
    }
  };

  Run(const RunOpened& opened, int64_t time_unix_micros, const Watching& watching);

  // What a batch did.
  struct Effect {
    bool duplicate = false;  // Seen before, or of a writer's former life: nothing changed.
    int64_t points = 0;      // Points taken up.
    bool rewound = false;
  };

  void Apply(const RunOpened& opened);
  Effect Apply(const BatchAppended& batch, int64_t time_unix_micros);
  void Apply(const ForecastMade& made);
  void Apply(const FlagChanged& changed, int64_t time_unix_micros);
  void Apply(const FlagHandled& handled, int64_t time_unix_micros);
  // Of the same run, as Keep gave it, or of an earlier life of this daemon.
  void Apply(const CurveKept& kept);

  // What its batches have made of it so far.
  CurveKept Keep() const;

  // What the watch has said since the last call. Frees the watch once the run is over.
  std::vector<FlagChange> TakeFlagChanges();
  // It is this late, and no batch came since the last one. Says little that is new, and costs a comparison then.
  void Tick(int64_t now_unix_micros);
  // Until now nobody could be heard.
  void Resume(int64_t now_unix_micros);
  // After a replay, in which what the watch said was dropped: what has to happen to the flags for them to be what the
  // watch holds now. Of a run that is over no flag is active.
  std::vector<FlagChange> Reconcile();

  const RunSpec& spec() const { return *spec_; }
  RunState state() const { return state_; }
  // It is completed, and its job has not come back since.
  bool finished() const { return state_ == RunState::kCompleted && !reopened_; }
  int64_t ended_at() const { return ended_at_; }          // Unix microseconds; 0 while it runs.
  const Writer* FindWriter(std::string_view name) const;  // Null if it never opened.
  const Curve* FindCurve(std::string_view metric) const;  // Null if it has no point.
  const Curve& objective() const;                         // Empty if it has no point.
  size_t metrics() const { return series_.size(); }
  bool rewind_pending() const;  // Some writer's next batch may rewind the run.
  size_t writers() const { return writers_.size(); }
  const std::deque<Branch>& branches() const { return branches_; }
  int64_t rewind_count() const { return rewind_count_; }
  // Of a run that declares no schedule: a copy of the metric that is its learning rate, by its name. The first by name
  // of the likeliest.
  std::optional<RateLog> LoggedRates() const;
  std::shared_ptr<const RunSpec> shared_spec() const { return spec_; }
  const std::vector<Forecast>& history() const { return *history_; }  // Without paths, oldest first.
  const FlagBook& flags() const { return flags_; }
  bool watched() const { return watch_ != nullptr; }
  double Progress() const;  // Of the objective; 0 without a total.

  // True if this forecast opens a new checkpoint of progress and so belongs into the journal.
  bool AtCheckpoint(const Forecast& forecast) const;
  // Puts up a forecast that the journal does not keep.
  void Show(Forecast forecast);
  // Puts up what the logged rates were found to say of the schedule, which the journal does not keep. False if that is
  // no news.
  bool ShowInferred(std::string words);

  // Counts changes, so that a view can be told from a newer one.
  uint64_t version() const { return version_; }
  std::shared_ptr<const RunView> View() const;

  // What events have made of it. What is only shown (forecasts that the journal does not keep, what was inferred), and
  // what time alone has brought, is left out, as a replay of those events leaves it out. Not between an Apply and
  // TakeFlagChanges.
  void Save(ArchiveWriter& archive) const;
  static std::unique_ptr<Run> Load(ArchiveReader& archive, const Watching& watching);

 private:
  explicit Run(const Watching& watching) : watching_(watching) {}  // For Load.
  template <class Archive>
  void Fields(Archive& archive) {
    archive(spec_, state_, reopened_, writers_, series_, branches_, rewinds_, rewind_count_, history_, newest_stands_);
    archive(unplaced_, opened_at_, last_point_at_, ended_at_, flags_, phase_, phase_began_at_);
  }

  // One metric's curve and who wrote its newest point.
  struct Series {
    Curve curve;
    std::string writer;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(curve, writer);
    }
  };

  WatchedRun Watched() const;
  std::optional<Step> ResumeStep(const Writer& writer, const BatchAppended& batch) const;
  void Listen(const BatchAppended& batch, int64_t time_unix_micros);
  int64_t TakeUp(const Column& column, const std::string& writer);
  void Begin(const Phase& phase, int64_t time_unix_micros);
  bool Rewind(const std::string& writer, Step step);
  void ForgetForecastsFrom(Step step);
  void RecallForecasts(const CurveKept& kept);
  void Rest();
  void KeepInHistory(const Forecast& forecast);

  std::shared_ptr<const RunSpec> spec_;
  RunState state_ = RunState::kRunning;
  bool reopened_ = false;  // By a new life of the job, of which no batch with points or an end came yet.
  std::map<std::string, Writer, std::less<>> writers_;
  std::map<std::string, Series, std::less<>> series_;
  std::deque<Branch> branches_;
  std::deque<Step> rewinds_;
  int64_t rewind_count_ = 0;
  std::shared_ptr<const Forecast> forecast_;
  std::string inferred_schedule_;
  std::shared_ptr<const std::vector<Forecast>> history_;  // Copied when it grows: views share it.
  bool newest_stands_ = false;  // The last forecast that the journal keeps, the newest of history_: no rewind took it.
  std::vector<Forecast> unplaced_;  // Without a curve to stand on, until a batch comes: a CurveKept may bring it.
  int64_t opened_at_ = 0;
  int64_t last_point_at_ = 0;
  int64_t ended_at_ = 0;
  uint64_t version_ = 0;

  const Watching& watching_;
  std::unique_ptr<Watch> watch_;  // From the first points on, while it runs.
  FlagBook flags_;
  std::optional<Phase> phase_;
  int64_t phase_began_at_ = 0;
};

}  // namespace curvecast
