#include "core/family/family_curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/family/least_squares.h"

namespace curvecast {
namespace {

struct LogPoint {
  double step, loss;
};

// In at most kMostStretches stretches of log S.
void AddStretches(std::vector<LogPoint> points, size_t family, double log_parameters, FamilyCurves& curves) {
  std::sort(points.begin(), points.end(), [](const LogPoint& a, const LogPoint& b) { return a.step < b.step; });
  const double first = points.front().step, width = (points.back().step - first) / kMostStretches;
  const auto stretch = [&](const LogPoint& p) {
    return width > 0 ? std::min(std::floor((p.step - first) / width + 1e-9), kMostStretches - 1.0) : 0;
  };
  const size_t from = curves.points.size();
  for (size_t i = 0; i < points.size();) {
    std::vector<double> steps, losses;
    const double here = stretch(points[i]);
    for (; i < points.size() && stretch(points[i]) == here; ++i) {
      steps.push_back(points[i].step);
      losses.push_back(points[i].loss);
    }
    FamilyPoint point{.family = family, .log_parameters = log_parameters};
    point.log_steps = Median(std::move(steps));
    point.log_loss = Median(std::move(losses));
    curves.points.push_back(point);
  }
  for (size_t i = from; i < curves.points.size(); ++i) {
    curves.points[i].weight = 1 / static_cast<double>(curves.points.size() - from);
  }
  curves.families[family].span = std::exp(points.back().step - first);
}

}  // namespace

FamilyCurves MakeFamilyCurves(const std::vector<StepCurve>& curves, StepCount count) {
  FamilyCurves result;
  std::map<double, size_t> sizes;
  for (const StepCurve& curve : curves) {
    if (!curve.steps.empty()) sizes[curve.parameters] = 0;
  }
  for (auto& [parameters, size] : sizes) size = result.sizes++;
  std::map<std::pair<std::string, double>, std::vector<const StepCurve*>> members;
  for (const StepCurve& curve : curves) {
    if (!curve.steps.empty()) members[{curve.family, curve.parameters}].push_back(&curve);
  }
  for (const auto& [key, runs] : members) {
    std::vector<LogPoint> points;
    for (const StepCurve* run : runs) {
      for (size_t i = 0; i < run->steps.size(); ++i) {
        double steps = run->steps[i];
        if (count == StepCount::kMinimum) steps = MinimumSteps(steps, run->batch_tokens, run->losses[i]);
        points.push_back({std::log(steps), std::log(run->losses[i])});
      }
    }
    FamilyCurves::Family family{.name = key.first, .parameters = key.second};
    family.size = sizes[key.second];
    family.runs = runs.size();
    result.families.push_back(family);
    AddStretches(std::move(points), result.families.size() - 1, std::log(key.second), result);
  }
  const double each =
      static_cast<double>(result.points.size()) / std::max<double>(1, static_cast<double>(result.families.size()));
  for (FamilyPoint& point : result.points) point.weight *= each;
  return result;
}

}  // namespace curvecast
