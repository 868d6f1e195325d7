#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/engine/events.h"

// Runs of one project that resemble each other and differ in their level.
namespace curvecast::testing {

inline double AkinLoss(Step step, double level) {
  const double x = static_cast<double>(step) / 1000;
  return level * (2 + 0.5 * std::pow(x + 0.01, -0.3) + 0.002 * std::sin(static_cast<double>(step)));
}

inline Column AkinLosses(double level, Step from, Step to) {
  Column column{"train/loss", {}, {}};
  for (Step step = from; step <= to; step += 5) {
    column.steps.push_back(step);
    column.values.push_back(AkinLoss(step, level));
  }
  return column;
}

// Everything that a job says of a run of 1000 steps.
inline std::vector<Event> FinishedRun(const std::string& run_id, double level, RunState end = RunState::kCompleted,
                                      Step newest = 1000) {
  return {Open(1, "", run_id), Batch(1, {AkinLosses(level, 5, newest)}, 1, "", run_id, end)};
}

}  // namespace curvecast::testing
