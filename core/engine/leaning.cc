#include "core/engine/leaning.h"

#include <algorithm>

#include "core/law/run_clock.h"

namespace curvecast {
namespace {

// Counts as History::Lean chooses.
void Count(const History& history, const Descent& descent, RateKind kind, const History::Choice& choice,
           Leaning& leaning) {
  size_t others = 0, siblings = 0;
  for (const Relative& r : history.relatives()) {
    if (r.kind != kind || r.descent.run_id == descent.run_id) continue;
    ++(r.descent.family == descent.family ? siblings : others);
  }
  leaning.siblings = static_cast<int>(std::min(siblings, choice.siblings));
  leaning.relatives = static_cast<int>(std::min(others, choice.others)) + leaning.siblings;
}

}  // namespace

Leaning LeanOnPast(const ProjectPast* past, const RunSpec& spec, const Plan& plan, Step newest, const Prior& prior) {
  Leaning leaning;
  if (!plan.total_steps || *plan.total_steps <= 0) return leaning;  // There is no end to forecast.
  const RateKind kind = RunClock(plan, newest).kind();
  if (past != nullptr && !plan.maximize) {  // The past knows losses.
    const Descent descent = DescentOf(spec);
    const History::Choice choice;
    leaning.kin = past->history.Lean(descent, plan, newest, prior, choice);
    if (leaning.kin) Count(past->history, descent, kind, choice, leaning);
  }
  const auto support = static_cast<size_t>(leaning.kin ? Support::kKin : Support::kNone);
  leaning.factors = prior.Of(kind).factors[support];
  if (past != nullptr) leaning.factors = past->misses[support].Factors(leaning.factors);
  return leaning;
}

std::shared_ptr<const Belief> KinForWatch(const History& history, const RunSpec& spec, Step newest,
                                          const Prior& prior) {
  constexpr History::Choice kChoice{.others = 16, .siblings = 16};
  const Plan plan = MakePlan(spec);
  if (plan.maximize) return nullptr;  // The past knows losses.
  std::optional<Belief> kin = history.Lean(DescentOf(spec), plan, newest, prior, kChoice);
  return kin ? std::make_shared<const Belief>(*std::move(kin)) : nullptr;
}

Forecast MakeForecast(const Curve& curve, const Plan& plan, const Prior& prior, const Leaning& leaning) {
  Forecast forecast =
      ForecastEnd(curve, plan, prior, {.kin = leaning.kin ? &*leaning.kin : nullptr, .factors = &leaning.factors});
  if (!forecast.answered()) return forecast;
  forecast.leaned.relatives = leaning.relatives;
  forecast.leaned.siblings = leaning.siblings;
  forecast.leaned.factor = FactorAt(leaning.factors, forecast.progress);
  return forecast;
}

}  // namespace curvecast
