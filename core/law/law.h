#pragma once

#include <optional>

#include "core/curve/curve.h"
#include "core/law/forecast.h"
#include "core/law/prior.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// All that the law may know of a run besides its curve.
struct Plan {
  std::optional<Step> total_steps;
  std::optional<LrSchedule> schedule;  // Absent: unknown; the law then uses plain steps and a wider interval.
  std::optional<double> parameters;
  std::optional<double> tokens_per_step;
  bool maximize = false;
};

// Forecasts the end of a run from its curve so far. Pure: the same input gives the same bits; no clock, no I/O, no
// state. Any doubles may come in; what comes out is finite or a reason. Scaling the values by c scales the answer by c;
// scaling all steps (with plan and schedule) leaves it.
Forecast ForecastEnd(const Curve& curve, const Plan& plan, const Prior& prior);

}  // namespace curvecast
