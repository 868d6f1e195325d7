#pragma once

#include <optional>
#include <string>

#include "core/engine/event.h"
#include "core/engine/run_plan.h"
#include "core/engine/run_spec.h"
#include "core/family/relative.h"

namespace curvecast {

// A run of a file that reached the end of its plan: 97 % of it, with a finite end.
struct CompleteRun {
  RunSpec spec;
  Column points;            // Of the objective, what rewinds left of it, in order of step.
  double actual = 0;        // Mean of the objective over the last 1 % of the plan.
  std::string rate_metric;  // Of a run that declares no schedule but logs rates; or empty.
  Column rates = {};

  // The curve, and the plan that the daemon would have gone by, when only what was logged at or before step fraction x
  // total_steps had arrived.
  Curve Until(double fraction) const;
  Plan PlanAt(double fraction) const;
  Descent descent() const { return {spec.key.run_id, spec.family, spec.labels}; }
};

// What one file gives: a run, or why there is none.
struct ReadResult {
  std::optional<CompleteRun> run;
  std::string problem;  // Of reading; the run may be there all the same.
  std::string skipped;  // Why it does not count, although it could be read.
};
ReadResult ReadCompleteRun(const std::string& path);

}  // namespace curvecast
