#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/observation.h"
#include "core/law/plan.h"
#include "core/law/prior.h"

namespace curvecast {

// A finished run as learning takes it: every one that reached its end counts once, families weigh alike.
struct Example {
  std::string family;
  Traits traits;
  Observations seen;
};

// Progress from which a run counts as finished.
inline constexpr double kFinished = 0.97;

// Nothing if the run is not finished, is maximised, is not positive, or is not of this kind. Kind kUnknown takes every
// run and hides its schedule.
std::optional<Example> MakeExample(std::string family, const Curve& curve, Plan plan, RateKind kind);

// Learns the archetype of one source by expectation maximisation: each run is a Gaussian over the coefficients, the
// source is the Gaussian about a linear (ridge) regression on the traits. At least kFewestExamples. Deterministic.
inline constexpr size_t kFewestExamples = 3;
Archetype TrainArchetype(std::string name, const std::vector<Example>& examples);

// Gives a kind its archetypes: what each source of few families lacks in spread it borrows from the pool of its sort,
// and the pool of those not apart, at least one, is appended as "any".
void SetArchetypes(std::vector<Archetype> sources, Prior::Kind& kind);

}  // namespace curvecast
