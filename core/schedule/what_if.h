#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/step.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// A question about the rest of a run. What has been trained stays as it was: all of this holds from the newest step on.
struct WhatIf {
  std::optional<Step> total_steps = {};       // Absent: as planned.
  std::optional<ScheduleSpec> schedule = {};  // In steps of the run, as a declaration counts them.
  // Or, for short: hold the present rate up to decay_start_step, then fall to final_lr at the end of the run.
  std::optional<Decay> decay = {};
  std::optional<Step> decay_start_step = {};  // Absent: the newest step.
  std::optional<double> final_lr = {};  // Absent: the plan's own at its end if that is below the present rate, else 0.

  friend bool operator==(const WhatIf&, const WhatIf&) = default;
};

// What is known of a run's learning rate.
struct RatePlan {
  std::optional<Step> total_steps = {};
  std::optional<ScheduleSpec> schedule = {};  // From the first step to the end.
  std::optional<ScheduleSpec> so_far = {};    // Without a schedule: the rates up to now, as knots.
};

struct WhatIfPlan {
  Step total_steps = 0;
  std::optional<ScheduleSpec> schedule = {};  // Absent: as unknown as it was.
  std::string words;                          // Such as "as planned to step 2000, then linear from 0.003 to 0".
};

// The plan that the question means, for a run that has come to step `newest`. Up to there its rates are those of the
// plan. After it:
// * a schedule, or a decay, as asked; where it does not begin at the present rate, the rate jumps within one step;
// * with another total alone, the rest of the planned curve, from the present rate to its last, stretched (or drawn
//   together) to the new end. So a cosine that is half-way down goes on down, more slowly; it does not become the
//   cosine that it would have been, had it been declared longer. A run at its planned end goes on at its last rate.
//
// INVALID_ARGUMENT, with the field as in ForecastRunRequest: a total before `newest`, a decay that starts before
// `newest` or not before the end, a rate that is none or above those that the run has had (its curve says nothing of
// them), a schedule that breaks the rules of CheckSchedule, parts that contradict each other. FAILED_PRECONDITION if
// the present rate is needed and not known.
absl::StatusOr<WhatIfPlan> MakeWhatIfPlan(const RatePlan& plan, Step newest, const WhatIf& what_if);

}  // namespace curvecast
