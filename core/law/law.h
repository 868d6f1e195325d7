#pragma once

#include "core/curve/curve.h"
#include "core/law/belief.h"
#include "core/law/forecast.h"
#include "core/law/plan.h"
#include "core/law/prior.h"

namespace curvecast {

// What the project's finished runs add to the shipped prior.
struct Lean {
  const Belief* kin = nullptr;               // Of this run's coefficients, the level absolute. Null: none.
  const IntervalFactors* factors = nullptr;  // Instead of the prior's own. Null: those.
};

// Forecasts the end of a run from its curve so far. Pure: the same input gives the same bits; no clock, no I/O, no
// state. Any doubles may come in; what comes out is finite or a reason. Where the plan does not say what a step
// consumes, and there is no kin, scaling the values by c scales the answer by c, and scaling all steps (with plan and
// schedule) leaves it.
Forecast ForecastEnd(const Curve& curve, const Plan& plan, const Prior& prior, const Lean& lean);
inline Forecast ForecastEnd(const Curve& curve, const Plan& plan, const Prior& prior) {
  return ForecastEnd(curve, plan, prior, Lean{});
}

}  // namespace curvecast
