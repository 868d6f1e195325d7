#include "core/family/power_law.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr double kLeastSpan = 0.6931471805599453;  // A factor of 2.
constexpr size_t kFewestFree = 3;                  // Degrees of freedom.

}  // namespace

PowerLaw::Prediction PowerLaw::At(const Group& group, double x) const {
  const double away = x - group.mean_x;
  const double variance =
      residual_sd * residual_sd * (1 + 1 / static_cast<double>(group.points)) + exponent.sd * exponent.sd * away * away;
  return {group.mean_log_loss - exponent.value * away, std::sqrt(variance)};
}

absl::StatusOr<PowerLaw> FitPowerLaw(const std::vector<GroupedPoint>& points) {
  PowerLaw law;
  for (const GroupedPoint& p : points) {
    if (law.groups.size() <= p.group) law.groups.resize(p.group + 1);
    PowerLaw::Group& group = law.groups[p.group];
    ++group.points;
    const auto count = static_cast<double>(group.points);
    group.mean_x += (p.x - group.mean_x) / count;
    group.mean_log_loss += (p.log_loss - group.mean_log_loss) / count;
    group.lowest_x = group.points == 1 ? p.x : std::min(group.lowest_x, p.x);
    group.highest_x = group.points == 1 ? p.x : std::max(group.highest_x, p.x);
  }
  size_t groups = 0;
  double span = 0;
  for (PowerLaw::Group& group : law.groups) {
    if (group.points < 2) {
      group = {};
      continue;
    }
    ++groups;
    law.points += group.points;
    span = std::max(span, group.highest_x - group.lowest_x);
  }
  if (span < kLeastSpan) {
    return absl::FailedPreconditionError(fmt::format(
        "the widest group of runs that are alike otherwise spans a factor of {:.2g}; 2 is needed", std::exp(span)));
  }
  if (law.points < groups + 1 + kFewestFree) {
    return absl::FailedPreconditionError(
        fmt::format("{} cells in {} groups leave too little to judge a slope by; {} are needed", law.points, groups,
                    groups + 1 + kFewestFree));
  }
  double cross = 0;
  for (const GroupedPoint& p : points) {
    const PowerLaw::Group& group = law.groups[p.group];
    if (group.points == 0) continue;
    law.spread_x += (p.x - group.mean_x) * (p.x - group.mean_x);
    cross += (p.x - group.mean_x) * (p.log_loss - group.mean_log_loss);
  }
  law.exponent.value = -cross / law.spread_x;
  double squares = 0;
  for (const GroupedPoint& p : points) {
    const PowerLaw::Group& group = law.groups[p.group];
    if (group.points == 0) continue;
    squares += std::pow(p.log_loss - group.mean_log_loss + law.exponent.value * (p.x - group.mean_x), 2);
  }
  law.residual_sd = std::sqrt(squares / static_cast<double>(law.points - groups - 1));
  law.exponent.sd = law.residual_sd / std::sqrt(law.spread_x);
  return law;
}

}  // namespace curvecast
