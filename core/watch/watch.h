#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/archive.h"
#include "core/curve/curve.h"
#include "core/law/belief.h"
#include "core/law/forecast.h"
#include "core/law/plan.h"
#include "core/law/prior.h"
#include "core/watch/flag.h"

namespace curvecast {

// What the operator asks of the watch.
struct WatchOptions {
  // False alarms in 1000 days of a run's time, over all tests of the run. With times, this and the run's points a day
  // give the points between two false alarms.
  double false_alarms_per_1000_run_days = 1;
  // Where points come without times (a replay), or faster than a job makes them (an import).
  double mean_points_between_false_alarms = 1e6;
  double silent_after_seconds = 120;
};

// What the watch knows of a run besides its points.
struct WatchedRun {
  std::string objective;
  Plan plan;
  std::shared_ptr<const Belief> kin = nullptr;  // What finished runs say of the objective's curve; null: nothing.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(objective, plan);
  }
};

// Looks at every point of one run as it comes, and says when the run leaves its law. A part of the run's state, so of
// the fold: no clock, no I/O; the same calls give the same bits. Owned by the engine's thread. Constant memory.
//
// What it says are changes of flags. It keeps which of its flags are active; nothing else is kept of a flag here.
class Watch {
 public:
  // `prior` outlives this.
  Watch(const WatchOptions& options, const Prior& prior, const WatchedRun& run);
  ~Watch();

  // The run was declared anew. `objective` is its curve.
  void Declare(const WatchedRun& run, const Curve& objective);

  // A batch of the job came at this time (0: not known), with points or without. Before its points are added.
  void Arrived(int64_t time_unix_micros, size_t points);
  // A point that was taken up, in order of arrival, and its metric's curve, which holds it. A late one (at or below the
  // newest step of its metric) teaches nothing.
  void Add(std::string_view metric, Step step, double value, const Curve& curve);
  // What lay at `from` or later of a metric is superseded; `left` is what is left of its curve.
  void Rewound(std::string_view metric, Step from, const Curve& left);
  // The job does something without a point for at most so long. After the points of its batch.
  void Began(std::string_view phase, int64_t time_unix_micros, double max_seconds);
  // The job has a new life, which is yet to send points.
  void Restarted();
  // Until now nobody could be heard (the daemon was down, or its disk full): a pause counts from now.
  void Resumed(int64_t now_unix_micros);
  // A SILENT flag that is active after a replay, in which there are no ticks.
  void Restore(const Flag& silent);
  // A forecast that the journal keeps.
  void Take(const Forecast& forecast);
  // Nothing came since the last call of Arrived; it is this late now. Not before Resumed. Cheap where there is no news.
  void Tick(int64_t now_unix_micros);
  // The run is over: what is active is resolved.
  void Ended();

  // What has changed since the last call, in order.
  std::vector<FlagChange> TakeChanges();
  // Its flags that are active.
  std::vector<Flag> active() const;

  // How far the newest points of the objective lie above what is expected, in standard deviations; nothing while the
  // watch is still learning.
  std::optional<double> deviation_sigma() const;

  // What the calls have made of it, but those that time alone brings (Resumed, Restore, Tick): Load makes a watch that
  // is as one after the same calls without those. Not between a call and TakeChanges.
  void Save(ArchiveWriter& archive) const;
  static std::unique_ptr<Watch> Load(ArchiveReader& archive, const WatchOptions& options, const Prior& prior);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace curvecast
