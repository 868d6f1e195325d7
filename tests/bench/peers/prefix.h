#pragma once

#include <vector>

#include "core/schedule/lr_schedule.h"

namespace curvecast::peers {

// What a peer may look at: the first part of a run and its plan.
struct Prefix {
  std::vector<double> steps;             // In order.
  std::vector<double> values;            // As many; any doubles.
  double total = 0;                      // Planned steps, > 0.
  const LrSchedule* schedule = nullptr;  // Null: none was declared.
};

}  // namespace curvecast::peers
