#pragma once

#include <optional>
#include <string>

#include "core/curve/curve.h"
#include "core/engine/run_spec.h"
#include "core/law/law.h"
#include "core/schedule/infer_schedule.h"

namespace curvecast {

// The metric that looks like a run's learning rate, as logged so far.
struct RateLog {
  std::string metric;
  Curve curve;
};

// What a run is forecast under.
struct RunPlan {
  Plan plan;
  // Of a run that declares no schedule but logs rates: what they say.
  std::optional<InferredSchedule> inferred = {};
  std::string inferred_words = {};  // Such as "lr: peak at step 80, cosine, 0.005 to 0.00025"; or empty.
};

// What the run declared; where it declared no schedule, the one that its logged rates follow, if they follow one up to
// the end. Rates whose newest step is more than kRateLag times the objective's, or the reverse, are not used: they may
// be counted in another unit. Pure; if there are rates that fall it costs about as much as a forecast.
inline constexpr double kRateLag = 1.5;
RunPlan PlanRun(const RunSpec& spec, Step newest, const std::optional<RateLog>& rates);

}  // namespace curvecast
