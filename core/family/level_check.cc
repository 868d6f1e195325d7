#include "core/family/level_check.h"

#include <cmath>
#include <map>
#include <utility>

#include "core/family/least_squares.h"
#include "core/family/level_prior.h"
#include "core/family/scaling_law.h"

namespace curvecast {
namespace {

constexpr double kNinety = 1.645;

// The runs of each group, by index.
std::vector<std::vector<size_t>> Groups(const ScalingCells& cells, LeaveOut leave_out) {
  std::map<std::pair<size_t, size_t>, std::vector<size_t>> members;
  for (const ScalingCell& cell : cells.cells) {
    std::vector<size_t>& group = members[{cell.size, leave_out == LeaveOut::kCell ? cell.length : 0}];
    group.insert(group.end(), cell.members.begin(), cell.members.end());
  }
  std::vector<std::vector<size_t>> groups;
  for (auto& [key, group] : members) groups.push_back(std::move(group));
  if (groups.size() <= kMostChecks) return groups;
  std::vector<std::vector<size_t>> spaced;
  for (size_t i = 0; i < kMostChecks; ++i) spaced.push_back(std::move(groups[i * groups.size() / kMostChecks]));
  return spaced;
}

}  // namespace

absl::StatusOr<LevelCheck> CheckLevel(const std::vector<ScalingPoint>& points, LeaveOut leave_out) {
  const absl::StatusOr<ScalingCells> cells = MakeCells(points, CellLevel::kMedian);
  if (!cells.ok()) return cells.status();
  LevelCheck check;
  std::vector<double> group_errors, group_covers;
  for (const std::vector<size_t>& group : Groups(*cells, leave_out)) {
    std::vector<bool> left(points.size(), false);
    for (size_t i : group) left[i] = true;
    std::vector<ScalingPoint> rest;
    for (size_t i = 0; i < points.size(); ++i) {
      if (!left[i]) rest.push_back(points[i]);
    }
    const absl::StatusOr<ScalingFit> fit = FitScaling(rest, CellLevel::kMedian);
    if (!fit.ok()) return fit.status();
    std::vector<double> errors;
    double held = 0;
    for (size_t i : group) {
      const absl::StatusOr<LevelPrior> prior = PriorOfLevel(*fit, points[i].parameters, points[i].tokens);
      if (!prior.ok()) continue;
      errors.push_back(std::fabs(std::log(points[i].loss) - prior->mean_log));
      held += errors.back() <= kNinety * prior->sd_log ? 1 : 0;
    }
    check.runs += group.size();
    check.answered += errors.size();
    if (errors.empty()) continue;
    group_covers.push_back(held / static_cast<double>(errors.size()));
    group_errors.push_back(Median(std::move(errors)));
  }
  if (group_errors.empty()) return check;
  for (double cover : group_covers) check.cover += cover / static_cast<double>(group_covers.size());
  check.median_error = Median(std::move(group_errors));
  return check;
}

}  // namespace curvecast
