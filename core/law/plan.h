#pragma once

#include <optional>

#include "core/base/step.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// All that the law may know of a run besides its curve.
struct Plan {
  std::optional<Step> total_steps;
  std::optional<LrSchedule> schedule;  // Absent: unknown; the law then uses plain steps and a wider interval.
  std::optional<double> parameters;
  std::optional<double> tokens_per_step;
  bool maximize = false;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(total_steps, schedule, parameters, tokens_per_step, maximize);
  }
};

}  // namespace curvecast
