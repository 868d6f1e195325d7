#include "client/cli/laws/project_runs.h"

#include <cmath>
#include <optional>

namespace curvecast {
namespace {

constexpr double kComplete = 0.97, kTail = 0.99;  // Of the plan; as in client/cli/backtest.

bool IsPositive(double value) { return std::isfinite(value) && value > 0; }

std::optional<double> End(const ObjectiveCurve& curve, double total) {
  if (curve.steps.empty() || curve.steps.back() < kComplete * total) return std::nullopt;
  double sum = 0, count = 0;
  for (size_t i = curve.steps.size(); i-- > 0 && curve.steps[i] > kTail * total;) {
    const double points = curve.counts.empty() ? 1 : curve.counts[i];
    sum += points * curve.values[i];
    count += points;
  }
  const double end = count > 0 ? sum / count : curve.values.back();
  return IsPositive(end) ? std::optional<double>(end) : std::nullopt;
}

StepCurve AfterWarmup(const RunSpec& spec, const ObjectiveCurve& curve) {
  const std::optional<LrSchedule> schedule = MakePlan(spec).schedule;
  const double warm = schedule.has_value() ? schedule->warmup_end() : 0;
  StepCurve after;
  after.family = spec.family;
  after.parameters = *spec.parameters;
  after.batch_tokens = spec.tokens_per_step.value_or(0);
  for (size_t i = 0; i < curve.steps.size(); ++i) {
    if (curve.steps[i] <= warm || !IsPositive(curve.steps[i]) || !IsPositive(curve.values[i])) continue;
    after.steps.push_back(curve.steps[i]);
    after.losses.push_back(curve.values[i]);
  }
  return after;
}

}  // namespace

void ProjectRuns::Add(const RunSpec& spec, const ObjectiveCurve& curve) {
  if (spec.maximize) {
    ++left_out_["objective is maximised"];
    return;
  }
  if (!spec.total_steps.has_value()) {
    ++left_out_["no totalSteps"];
    return;
  }
  const auto total = static_cast<double>(*spec.total_steps);
  const std::optional<double> end = End(curve, total);
  if (!end.has_value()) {
    ++left_out_["not complete, or the end is no number above 0"];
    return;
  }
  Usable& usable = by_objective_[spec.objective];
  usable.objective = spec.objective;
  ++usable.runs;
  if (!spec.parameters.has_value()) return;
  usable.curves.push_back(AfterWarmup(spec, curve));
  if (spec.tokens_per_step.has_value()) usable.ends.push_back({*spec.parameters, *spec.tokens_per_step * total, *end});
}

ProjectRuns::Usable ProjectRuns::Choose() const {
  Usable most;
  for (const auto& [objective, usable] : by_objective_) {
    if (usable.runs > most.runs) most = usable;
  }
  return most;
}

std::map<std::string, size_t> ProjectRuns::LeftOut() const {
  std::map<std::string, size_t> left_out = left_out_;
  const Usable chosen = Choose();
  for (const auto& [objective, usable] : by_objective_) {
    if (objective != chosen.objective) left_out["objective " + objective] = usable.runs;
  }
  return left_out;
}

}  // namespace curvecast
