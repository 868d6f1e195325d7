#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/event.h"

namespace curvecast {

struct MetricView {
  std::string metric;
  int64_t points = 0;
  int64_t non_finite_points = 0;
  Step last_step = 0;
  double last_value = 0;
};

// All that is shown of a run but its curve.
struct RunView {
  std::shared_ptr<const RunSpec> spec;
  RunState state = RunState::kRunning;
  std::optional<Step> step;  // Of the objective.
  std::optional<double> value;
  double progress = 0;
  std::vector<MetricView> metrics;                       // By name.
  std::string inferred_schedule;                         // What the logged rates say where none is declared.
  std::shared_ptr<const Forecast> forecast;              // Null before the first.
  std::shared_ptr<const std::vector<Forecast>> history;  // Without paths, oldest first. Never null.
  std::vector<Step> rewinds;                             // Oldest first.
  int64_t rewind_count = 0;
  int64_t opened_at_unix_micros = 0;
  int64_t last_point_at_unix_micros = 0;  // 0: none yet.
  int64_t ended_at_unix_micros = 0;       // 0: running.
  // All that are kept, oldest first; never null. Which of them are shown depends on the time: ShownFlags.
  BookedFlags flags = NoFlags();
  std::optional<double> deviation_sigma;  // As Watch has it; nothing while it is still learning.
  std::optional<Phase> phase;             // What the job said it does without a point, until its next one ...
  int64_t phase_began_at_unix_micros = 0;
};

// What the job does without a point; null if nothing, or if it does so for longer than it said.
const Phase* PhaseAt(const RunView& run, int64_t now_unix_micros);

// What everything outside sees: immutable, published by the engine's thread a few times a second. `runs` is in order of
// key.
struct Board {
  int64_t published_at_unix_micros = 0;
  bool replaying = false;  // The journal is still being read: not ready.
  std::vector<std::shared_ptr<const RunView>> runs;

  // Null if there is none.
  const RunView* Find(const RunKey& key) const;
};

}  // namespace curvecast
