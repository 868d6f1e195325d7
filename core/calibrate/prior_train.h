#pragma once

#include <string>
#include <vector>

#include "core/curve/curve.h"
#include "core/family/relative.h"
#include "core/law/plan.h"
#include "core/law/prior.h"

namespace curvecast {

// A run as learning takes it; one that did not reach its end teaches nothing.
struct FinishedRun {
  Descent descent;
  Curve curve;
  Plan plan;
};

// Runs of one origin: one laboratory's code, data and habits.
struct Source {
  std::string name;
  std::vector<FinishedRun> runs;
  bool apart = false;  // Of another sort than the others, such as vision beside language.
};

// Learns a whole prior but its interval factors, which stay 1: for each kind of rate an archetype for every source that
// has enough runs, and, from those not apart, the kinship. Kind kUnknown is learned from all runs, their schedules
// hidden. A kind that no source has is left at a wide default. Deterministic.
Prior TrainPrior(const std::vector<Source>& sources);

}  // namespace curvecast
