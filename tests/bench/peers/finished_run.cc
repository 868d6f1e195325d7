#include "tests/bench/peers/finished_run.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "client/import/run_file.h"
#include "daemon/convert/run_convert.h"

namespace curvecast::peers {
namespace {

constexpr double kComplete = 0.97, kTail = 0.99;  // Of the plan; as in client/cli/backtest.

std::optional<double> Actual(const Column& points, double total) {
  if (points.steps.empty() || static_cast<double>(points.steps.back()) < kComplete * total) return std::nullopt;
  double sum = 0, count = 0;
  for (size_t i = points.steps.size(); i-- > 0 && static_cast<double>(points.steps[i]) > kTail * total;) {
    sum += points.values[i];
    count += 1;
  }
  const double actual = count > 0 ? sum / count : points.values.back();
  return std::isfinite(actual) && actual > 0 ? std::optional<double>(actual) : std::nullopt;
}

}  // namespace

Prefix FinishedRun::Until(double fraction) const {
  Prefix prefix{.steps = {}, .values = {}, .total = total, .schedule = schedule.has_value() ? &*schedule : nullptr};
  for (size_t i = 0; i < steps.size() && steps[i] <= fraction * total; ++i) {
    prefix.steps.push_back(steps[i]);
    prefix.values.push_back(values[i]);
  }
  return prefix;
}

absl::StatusOr<std::optional<FinishedRun>> ReadFinishedRun(const std::string& path) {
  const absl::StatusOr<ReadRun> read = ReadRunFile(path);
  if (!read.ok()) return read.status();
  if (!read->error.ok()) return read->error;
  const absl::StatusOr<RunSpec> spec = ToRunSpec(read->run);
  if (!spec.ok()) return absl::InvalidArgumentError(path + ": " + std::string(spec.status().message()));
  if (!spec->total_steps.has_value()) return std::optional<FinishedRun>();
  const absl::StatusOr<Column> points = ToColumn(SurvivingPoints(*read, spec->objective));
  if (!points.ok()) return std::optional<FinishedRun>();  // No point of the objective.
  FinishedRun run;
  run.project = spec->key.project;
  run.run_id = spec->key.run_id;
  run.family = spec->family;
  run.total = static_cast<double>(*spec->total_steps);
  run.schedule = MakePlan(*spec).schedule;
  const std::optional<double> actual = Actual(*points, run.total);
  if (!actual.has_value()) return std::optional<FinishedRun>();
  run.actual = *actual;
  run.steps.assign(points->steps.begin(), points->steps.end());
  run.values = points->values;
  return run;
}

absl::StatusOr<std::vector<RunFileChoice>> ChooseRunFiles(const std::vector<std::string>& paths, size_t most) {
  std::map<std::string, std::vector<std::string>> folders;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<std::string>> files = FindRunFiles(path);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files) {
      folders[std::filesystem::path(file).parent_path().string()].push_back(file);
    }
  }
  std::vector<RunFileChoice> chosen;
  for (const auto& [folder, files] : folders) {
    const size_t first = chosen.size(), count = std::min(most, files.size());
    for (const std::string& file : files) chosen.push_back({file, false});
    for (size_t i = 0; i < count; ++i) {
      chosen[first + (count > 1 ? i * (files.size() - 1) / (count - 1) : 0)].asked = true;
    }
  }
  return chosen;
}

}  // namespace curvecast::peers
