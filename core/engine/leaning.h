#pragma once

#include <memory>
#include <optional>

#include "core/engine/project.h"
#include "core/engine/run_spec.h"
#include "core/law/law.h"

namespace curvecast {

// What a project's past says of one run before its points: worth keeping as long as neither changes.
struct Leaning {
  std::optional<Belief> kin;
  IntervalFactors factors = kNoFactors;
  int relatives = 0;  // That `kin` is from.
  int siblings = 0;
};

// Pure. A null past says nothing. Costs up to 2 ms (law_bench).
Leaning LeanOnPast(const ProjectPast* past, const RunSpec& spec, const Plan& plan, Step newest, const Prior& prior);

// What finished runs say of a run's curve to its watch, under the plan that it declares: of fewer runs than a forecast
// leans on (32 at most), so that a thousand runs that begin at once hold up the engine's thread for 0.1 s. Null:
// nothing.
std::shared_ptr<const Belief> KinForWatch(const History& history, const RunSpec& spec, Step newest, const Prior& prior);

// ForecastEnd, and what it leaned on.
Forecast MakeForecast(const Curve& curve, const Plan& plan, const Prior& prior, const Leaning& leaning);

}  // namespace curvecast
