#include "core/calibrate/prior_train.h"

#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/family/kinship_train.h"
#include "core/law/archetype_train.h"

namespace curvecast {
namespace {

// Where nothing is known.
Archetype Untaught() {
  Archetype a;
  a.name = "untaught";
  a.mean.setConstant(0.05);
  a.mean(0) = 0;
  a.covariance = 0.04 * CoefficientMatrix::Identity();
  return a;
}

void TrainArchetypes(const std::vector<Source>& sources, RateKind kind, Prior::Kind& taught) {
  std::vector<Archetype> archetypes;
  CoefficientMatrix within = CoefficientMatrix::Zero();
  double counted = 0;
  int pooled = 0;
  for (const Source& source : sources) {
    std::vector<Example> examples;
    for (const FinishedRun& run : source.runs) {
      std::optional<Example> example = MakeExample(run.descent.family, run.curve, run.plan, kind);
      if (example.has_value()) examples.push_back(*std::move(example));
    }
    if (examples.size() < kFewestExamples) continue;
    archetypes.push_back(TrainArchetype(source.name, examples));
    archetypes.back().apart = source.apart;
    pooled += source.apart ? 0 : 1;
    if (source.apart || examples.size() < kFewestTrained) continue;
    within += archetypes.back().covariance;
    counted += 1;
  }
  if (pooled == 0) archetypes.push_back(Untaught());
  taught.kinship.within = counted > 0 ? CoefficientMatrix(within / counted) : archetypes.front().covariance;
  SetArchetypes(std::move(archetypes), taught);
}

}  // namespace

Prior TrainPrior(const std::vector<Source>& sources) {
  Prior prior;
  for (size_t k = 0; k < kRateKinds; ++k) TrainArchetypes(sources, static_cast<RateKind>(k), prior.kinds[k]);
  CURVECAST_CHECK(prior.Prepare());
  for (size_t k = 0; k < kRateKinds; ++k) {
    const RateKind kind = static_cast<RateKind>(k);
    std::vector<std::vector<Relative>> relatives;
    for (const Source& source : sources) {
      std::vector<Relative>& of = relatives.emplace_back();
      for (const FinishedRun& run : source.runs) {
        if (source.apart) break;
        Plan plan = run.plan;
        if (kind == RateKind::kUnknown) plan.schedule.reset();
        std::optional<Relative> relative = MakeRelative(run.descent, run.curve, plan, prior);
        if (relative.has_value() && relative->kind == kind) of.push_back(*std::move(relative));
      }
    }
    prior.kinds[k].kinship = TrainKinship(relatives, CoefficientMatrix(prior.kinds[k].kinship.within));
  }
  return prior;
}

}  // namespace curvecast
