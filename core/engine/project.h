#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/calibrate/interval.h"
#include "core/engine/run.h"
#include "core/family/history.h"
#include "core/law/prior.h"

namespace curvecast {

// Runs lean on those of their project that have their objective.
using PastKey = std::pair<std::string, std::string>;  // Project and objective.
PastKey PastKeyOf(const RunSpec& spec);

// The finished runs behind one PastKey, as forecasts lean on them. Immutable, for any thread.
struct ProjectPast {
  uint64_t version = 0;  // Another one is another past of this key.
  History history;
  std::array<ProjectMisses, kSupports> misses;  // By what the forecasts leaned on.
};

// What the forecasts of one run missed, by bucket of kFactorProgress: of each the one nearest to the bucket's progress,
// because those of one run miss alike. Owned by Project.
struct RunMisses {
  struct Miss {
    Support support = Support::kNone;
    double progress = 0;
    double miss = 0;    // See Miss in core/calibrate.
    double factor = 1;  // That the forecast was made with.

    template <class Archive>
    void Fields(Archive& archive) {
      archive(support, progress, miss, factor);
    }
  };
  std::string run_id;
  std::array<std::optional<Miss>, kFactorProgress.size()> by_bucket;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(run_id, by_bucket);
  }
};

// Of forecasts that were made before the run's end; one that does not say its factor is left out.
RunMisses MissesOf(const std::string& run_id, const std::vector<Forecast>& made, double end_value);

// The run's value at its end: the mean of the finite points in the last 1 % of its steps (of its plan, or of its curve
// if that is longer), as its bins give it; without any, the newest bin's. The curve has a finite point.
double EndValue(const Curve& curve, Step total_steps);

// The finished runs behind one PastKey: a part of the engine's state, so of the fold. Takes about 3 KB a run, at most
// History::kMaxRelatives of them (the oldest goes), and twice that once Past was called.
class Project {
 public:
  // The run has ended, or has changed since: takes it up as the newest if it finished (see Run::finished and
  // MakeRelative), and else forgets it. True if that changed anything.
  bool Settle(const Run& run, const Prior& prior);
  // False if it was not there.
  bool Forget(const std::string& run_id);

  uint64_t version() const { return version_; }
  const History& history() const { return history_; }
  // A copy, shared until the next change: 0.1 ms for 1000 runs, 0.6 ms for 4096 (law_bench). Never null.
  std::shared_ptr<const ProjectPast> Past() const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(version_, history_, misses_);
  }

 private:
  uint64_t version_ = 0;
  History history_;
  std::deque<RunMisses> misses_;                     // In order of the relatives, of the same runs.
  mutable std::shared_ptr<const ProjectPast> past_;  // Null: changed since.
};

}  // namespace curvecast
