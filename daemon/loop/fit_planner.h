#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "core/engine/engine.h"
#include "daemon/loop/fit_pool.h"

namespace curvecast {

// Decides which runs are worth a refit now, and which past each leans on. Used by the engine's thread alone.
//
// When a project's past changes, its live runs lean anew. That costs tens of refits each, so it is held back: pasts are
// renewed every renew_interval, a run leans anew every lean_interval, and at most kMaxLeaning of them are out at a
// time, behind the runs with news. Until then a run goes on with what it leaned on before.
class FitPlanner {
 public:
  static constexpr size_t kMaxLeaning = 32;

  struct Options {
    double refit_progress = 0.0025;             // Of the plan ...
    int64_t refit_interval_micros = 1'000'000;  // ... or, with news, after this long.
    int64_t renew_interval_micros = 1'000'000;
    int64_t lean_interval_micros = 10'000'000;
  };

  FitPlanner(Options options, FitPool& pool) : options_(options), pool_(pool) {}

  // The run has new points, a new plan, or lost some.
  void Note(const RunKey& key) { states_[key].news = true; }
  // Its finished runs are others.
  void NotePast(const PastKey& key) { changed_.insert(key); }
  // The run is gone.
  void Forget(const RunKey& key);
  // Its fit came back.
  void Done(const RunKey& key);
  // Orders what is due, the runs with the most new progress first. Returns how many runs with news are left waiting.
  size_t OrderDue(const Engine& engine, int64_t monotonic_micros);

  size_t in_flight() const { return in_flight_; }  // Fits that have not come back.

  // What a run leans on now. A finished one leans on nothing: its end is known.
  std::shared_ptr<const ProjectPast> PastOf(const Run& run) const;

 private:
  struct State {
    bool news = false;
    bool in_flight = false;
    bool stale = false;    // It leans on a past that is no more.
    bool leaning = false;  // The fit in flight leans anew.
    double fitted_progress = -1;
    int64_t fitted_at = 0;
    std::optional<int64_t> leaned_at;
  };
  struct Candidate {
    double gain = 0;
    const RunKey* key = nullptr;
    const Run* run = nullptr;
    State* state = nullptr;
  };
  bool IsDue(const State& state, const Run& run, int64_t monotonic_micros) const;
  bool MayLean(const State& state, int64_t monotonic_micros) const;
  void RenewPasts(const Engine& engine, int64_t monotonic_micros);
  bool Submit(const Candidate& next, int64_t monotonic_micros);

  const Options options_;
  FitPool& pool_;
  absl::flat_hash_map<RunKey, State> states_;
  absl::flat_hash_map<PastKey, std::shared_ptr<const ProjectPast>> pasts_;
  absl::flat_hash_set<PastKey> changed_;  // Since pasts_ was renewed.
  std::optional<int64_t> renewed_at_;
  size_t in_flight_ = 0;
  size_t leaning_ = 0;  // States that are.
};

}  // namespace curvecast
