#include "core/engine/run_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

bool InStep(Step a, Step b) {
  return static_cast<double>(std::max(a, b)) <= kRateLag * static_cast<double>(std::min(a, b));
}

}  // namespace

RunPlan PlanRun(const RunSpec& spec, Step newest, const std::optional<RateLog>& rates) {
  RunPlan run;
  run.plan = MakePlan(spec);
  if (spec.schedule || !rates) return run;
  if (!InStep(newest, rates->curve.last_step())) {
    run.inferred_words = absl::StrCat(rates->metric, ": its steps are not those of ", spec.objective);
    return run;
  }
  run.inferred = InferSchedule(rates->curve, spec.total_steps);
  const std::string words = Describe(*run.inferred);
  if (!words.empty()) run.inferred_words = absl::StrCat(rates->metric, ": ", words);
  if (!run.inferred->schedule) return run;
  if (auto schedule = LrSchedule::Create(*run.inferred->schedule, spec.total_steps); schedule.ok()) {
    run.plan.schedule = *std::move(schedule);
  }
  return run;
}

}  // namespace curvecast
