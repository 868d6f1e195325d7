#include "client/cli/backtest/complete_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "client/import/run_file.h"
#include "core/schedule/rate_metric.h"
#include "daemon/convert/run_convert.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr double kComplete = 0.97;  // Of the plan.
constexpr double kTail = 0.99;      // Past this share of the plan the values are the run's end.

// Mean of what was logged over the end of the plan; nothing if the run is not complete.
std::optional<double> Actual(const Column& points, Step total) {
  const double end = static_cast<double>(total);
  if (points.steps.empty() || static_cast<double>(points.steps.back()) < kComplete * end) return std::nullopt;
  double sum = 0, count = 0;
  for (size_t i = points.steps.size(); i-- > 0 && static_cast<double>(points.steps[i]) > kTail * end;) {
    sum += points.values[i];
    count += 1;
  }
  const double actual = count > 0 ? sum / count : points.values.back();
  return std::isfinite(actual) ? std::optional<double>(actual) : std::nullopt;
}

// Fills in the metric that the daemon would take for the learning rate.
void ReadRates(const ReadRun& read, CompleteRun& run) {
  std::map<std::string, int> ranks;
  for (const RunSegment& segment : read.segments) {
    for (const v1::Points& points : segment.metrics) {
      const std::optional<int> rank = RateMetricRank(points.metric());
      if (rank && points.metric() != run.spec.objective) ranks[points.metric()] = *rank;
    }
  }
  const auto best =
      std::min_element(ranks.begin(), ranks.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (best == ranks.end()) return;
  absl::StatusOr<Column> column = ToColumn(SurvivingPoints(read, best->first));
  if (!column.ok()) return;
  run.rate_metric = best->first;
  run.rates = *std::move(column);
}

Curve CurveUntil(const Column& column, double last) {
  Curve curve;
  for (size_t i = 0; i < column.steps.size() && static_cast<double>(column.steps[i]) <= last; ++i) {
    curve.Add(column.steps[i], column.values[i]);
  }
  return curve;
}

}  // namespace

Curve CompleteRun::Until(double fraction) const {
  return CurveUntil(points, fraction * static_cast<double>(*spec.total_steps));
}

Plan CompleteRun::PlanAt(double fraction) const {
  if (rate_metric.empty()) return MakePlan(spec);
  const double last = fraction * static_cast<double>(*spec.total_steps);
  const RateLog log{rate_metric, CurveUntil(rates, last)};
  return PlanRun(spec, static_cast<Step>(last), log).plan;
}

ReadResult ReadCompleteRun(const std::string& path) {
  ReadResult result;
  const absl::StatusOr<ReadRun> read = ReadRunFile(path);
  if (!read.ok()) {
    result.problem = std::string(read.status().message());
    return result;
  }
  if (!read->error.ok()) result.problem = std::string(read->error.message());
  absl::StatusOr<RunSpec> spec = ToRunSpec(read->run);
  if (!spec.ok()) {
    result.problem = fmt::format("{}: {}", path, std::string(spec.status().message()));
    return result;
  }
  if (!spec->total_steps.has_value()) {
    result.skipped = "declares no totalSteps";
    return result;
  }
  CompleteRun run{.spec = *std::move(spec), .points = {}, .actual = 0, .rate_metric = {}, .rates = {}};
  absl::StatusOr<Column> column = ToColumn(SurvivingPoints(*read, run.spec.objective));
  if (column.ok()) run.points = *std::move(column);
  const std::optional<double> actual = Actual(run.points, *run.spec.total_steps);
  if (!actual.has_value()) {
    result.skipped = "is not complete, or its end is not a number";
    return result;
  }
  if (!run.spec.schedule.has_value()) ReadRates(*read, run);
  run.actual = *actual;
  result.run = std::move(run);
  return result;
}

}  // namespace curvecast
