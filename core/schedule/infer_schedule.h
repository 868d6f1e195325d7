#pragma once

#include <optional>
#include <string>

#include "core/base/step.h"
#include "core/curve/curve.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// What the rates that a job has logged so far look like.
enum class RateShape {
  kTooFew,     // Too few to tell, or the end of the run is not known.
  kNotARate,   // Negative, or never above 0.
  kWarmingUp,  // Has only risen.
  kFlat,       // Has stayed at its peak. Constant, or a hold before a decay: nothing tells which.
  kDecaying,   // Falls as one of the decays of ScheduleSpec that ends at total_steps, and as no other.
  kOther,      // Falls, but in steps, in cycles, to another end, or so little yet that several decays would do.
  kComplete,   // Logged to the end.
};

struct InferredSchedule {
  RateShape shape = RateShape::kTooFew;
  // kDecaying and kComplete: the rate from the first step to the end, as knots. Up to the peak, and in a complete run,
  // as logged; then by the formula that the logged rates follow.
  std::optional<ScheduleSpec> schedule = {};
  // The logged rates as knots, held after the newest. Absent for kNotARate and without any rate.
  std::optional<ScheduleSpec> so_far = {};

  // Of kDecaying alone.
  Decay decay = Decay::kNone;
  double peak_lr = 0, final_lr = 0;  // The rate held before the decay, and the one at total_steps.
  double final_lr_sd = 0;            // Standard error of final_lr: 0.25 of the peak at most.
  Step peak_step = 0;                // First logged step at the peak.
  Step decay_start_step = 0;
  double misfit = 0;  // Root mean square of what the formula misses of the logged rates, over the peak.
};

// Pure: the same rates give the same bits. Scaling the rates by c scales the answer by c.
//
// Each decay is fitted by least squares to the rates from the peak on: its start, the rate before and the rate at
// total_steps are free. It is taken if it leaves nothing but noise (no structure that the eye would see in the
// residuals), and the next best decay either leaves three times as much or foresees the same. See README.md.
InferredSchedule InferSchedule(const Curve& rates, std::optional<Step> total_steps);

// For a person: "80 warm-up steps, cosine, 0.005 to 0.00025". Empty for kTooFew.
std::string Describe(const InferredSchedule& inferred);

}  // namespace curvecast
