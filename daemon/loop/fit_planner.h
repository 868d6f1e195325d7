#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/engine/engine.h"
#include "daemon/loop/fit_pool.h"

namespace curvecast {

// Decides which runs are worth a refit now. Used by the engine's thread alone.
class FitPlanner {
 public:
  struct Options {
    double refit_progress = 0.0025;             // Of the plan ...
    int64_t refit_interval_micros = 1'000'000;  // ... or, with news, after this long.
  };

  FitPlanner(Options options, FitPool& pool) : options_(options), pool_(pool) {}

  // The run has new points, a new plan, or lost some.
  void Note(const RunKey& key) { states_[key].news = true; }
  // Its fit came back.
  void Done(const RunKey& key) { states_[key].in_flight = false; }
  // Orders what is due, the runs with the most new progress first. Returns how many runs with news are left waiting.
  size_t OrderDue(const Engine& engine, int64_t monotonic_micros);

 private:
  struct State {
    bool news = false;
    bool in_flight = false;
    double fitted_progress = -1;
    int64_t fitted_at = 0;
  };
  bool IsDue(const State& state, const Run& run, int64_t monotonic_micros) const;

  const Options options_;
  FitPool& pool_;
  absl::flat_hash_map<RunKey, State> states_;
};

}  // namespace curvecast
