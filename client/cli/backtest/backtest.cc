#include "client/cli/backtest/backtest.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <sstream>
#include <thread>
#include <utility>

#include "client/import/run_file.h"
#include "core/engine/rate_metric.h"
#include "core/engine/run_plan.h"
#include "core/law/law.h"
#include "daemon/convert/run_convert.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr double kComplete = 0.97;  // Of the plan.
constexpr double kTail = 0.99;      // Past this share of the plan the values are the run's end.

// A finished run, read.
struct Finished {
  RunSpec spec;
  Column points;
  std::string rate_metric;  // Of a run that declares no schedule but logs rates; or empty.
  Column rates = {};
  double actual = 0;
};

// One forecast of one run.
struct Line {
  double fraction = 0;
  Forecast forecast;
};

// All that one file gives; `skipped` says why it gives no line.
struct FileResult {
  std::string problem;  // Of reading.
  std::string skipped;
  RunSpec spec;
  double actual = 0;
  std::vector<Line> lines;
};

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
void ReadRates(const ReadRun& read, Finished& run) {
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

// The run in the file, or why there is none in `result`.
std::optional<Finished> ReadFinished(const std::string& path, FileResult& result) {
  const absl::StatusOr<ReadRun> read = ReadRunFile(path);
  if (!read.ok()) {
    result.problem = std::string(read.status().message());
    return std::nullopt;
  }
  if (!read->error.ok()) result.problem = std::string(read->error.message());
  absl::StatusOr<RunSpec> spec = ToRunSpec(read->run);
  if (!spec.ok()) {
    result.problem = fmt::format("{}: {}", path, std::string(spec.status().message()));
    return std::nullopt;
  }
  Finished run{.spec = *std::move(spec), .points = {}, .rate_metric = {}, .rates = {}, .actual = 0};
  if (!run.spec.total_steps.has_value()) {
    result.skipped = "declares no totalSteps";
    return std::nullopt;
  }
  absl::StatusOr<Column> column = ToColumn(SurvivingPoints(*read, run.spec.objective));
  if (column.ok()) run.points = *std::move(column);
  const std::optional<double> actual = Actual(run.points, *run.spec.total_steps);
  if (!actual.has_value()) {
    result.skipped = "is not complete, or its end is not a number";
    return std::nullopt;
  }
  run.actual = *actual;
  if (!run.spec.schedule) ReadRates(*read, run);
  return run;
}

// Adds what lies at or before `last`, from `next` on.
void AddUpTo(double last, const Column& column, size_t& next, Curve& curve) {
  for (; next < column.steps.size() && static_cast<double>(column.steps[next]) <= last; ++next) {
    curve.Add(column.steps[next], column.values[next]);
  }
}

FileResult Replay(const std::string& path, const std::vector<double>& fractions, const Prior& prior) {
  FileResult result;
  const std::optional<Finished> run = ReadFinished(path, result);
  if (!run.has_value()) return result;
  result.spec = run->spec;
  result.actual = run->actual;
  const double total = static_cast<double>(*run->spec.total_steps);
  Curve curve;
  std::optional<RateLog> rates;
  if (!run->rate_metric.empty()) rates = RateLog{run->rate_metric, {}};
  size_t next = 0, next_rate = 0;
  for (double fraction : fractions) {  // Ascending: one pass over the points.
    AddUpTo(fraction * total, run->points, next, curve);
    if (rates) AddUpTo(fraction * total, run->rates, next_rate, rates->curve);
    result.lines.push_back({fraction, ForecastEnd(curve, PlanRun(run->spec, curve.last_step(), rates).plan, prior)});
  }
  return result;
}

std::vector<FileResult> ReplayAll(const std::vector<std::string>& files, const BacktestOptions& options,
                                  const std::vector<double>& fractions, const Prior& prior, std::ostream& err) {
  std::vector<FileResult> results(files.size());
  std::atomic<size_t> next = 0;
  std::mutex err_mutex;
  const auto work = [&] {
    for (size_t i; (i = next++) < files.size();) {
      results[i] = Replay(files[i], fractions, prior);
      if (!options.show_progress || (i + 1) % 25 != 0) continue;
      const std::lock_guard lock(err_mutex);
      err << fmt::format("\r{} of {} runs", i + 1, files.size()) << std::flush;
    }
  };
  const unsigned threads = options.threads > 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> workers;
  for (unsigned t = 1; t < threads; ++t) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  if (options.show_progress) err << "\r" << std::string(40, ' ') << "\r" << std::flush;
  return results;
}

// Names hold no character that JSON escapes but for what the file's own strings may bring.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

void PrintJson(const FileResult& result, std::ostream& out) {
  for (const Line& line : result.lines) {
    const Forecast& f = line.forecast;
    std::string said = fmt::format("\"status\":\"NOT_YET\",\"reason\":{}", Quoted(Explain(f.reason)));
    if (f.answered()) {
      said = "\"status\":\"OK\",\"quantiles\":{";
      for (size_t i = 0; i < kQuantileLevels.size(); ++i) {
        said += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", kQuantileLevels[i], f.quantiles[i]);
      }
      said += "}";
    }
    out << fmt::format(
        "{{\"project\":{},\"runId\":{},\"family\":{},\"fraction\":{},\"step\":{},\"forecast\":{{{}}},\"actual\":{}}}\n",
        Quoted(result.spec.key.project), Quoted(result.spec.key.run_id), Quoted(result.spec.family), line.fraction,
        f.step, said, result.actual);
  }
}

// What the table says of one project at one fraction.
struct Score {
  size_t runs = 0;
  double covered = 0;
  std::vector<double> errors, half_widths;  // Per cent, of the answered.

  void Add(const Forecast& f, double actual) {
    ++runs;
    if (!f.answered() || actual == 0) return;
    errors.push_back(std::fabs(f.median() / actual - 1) * 100);
    half_widths.push_back(std::fabs((f.quantiles[4] - f.quantiles[0]) / 2 / actual) * 100);
    if (f.quantiles[0] <= actual && actual <= f.quantiles[4]) covered += 1;
  }
};

double At(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

void PrintTable(const std::vector<FileResult>& results, std::ostream& out) {
  std::map<std::pair<std::string, double>, Score> scores;
  for (const FileResult& r : results) {
    for (const Line& line : r.lines) scores[{r.spec.key.project, line.fraction}].Add(line.forecast, r.actual);
  }
  out << fmt::format("{:<24}{:>6}{:>7}{:>10}{:>10}{:>8}{:>10}{:>13}\n", "project", "at", "runs", "answered", "median %",
                     "p90 %", "cover 90", "half-width %");
  for (const auto& [key, score] : scores) {
    const double answered = static_cast<double>(score.errors.size());
    out << fmt::format("{:<24}{:>6}{:>7}{:>10.2f}", key.first, key.second, score.runs,
                       answered / static_cast<double>(score.runs));
    if (score.errors.empty()) {
      out << "\n";
      continue;
    }
    out << fmt::format("{:>10.2f}{:>8.2f}{:>10.2f}{:>13.2f}\n", At(score.errors, 0.5), At(score.errors, 0.9),
                       score.covered / answered, At(score.half_widths, 0.5));
  }
}

absl::StatusOr<Prior> LoadPrior(const std::string& path) {
  if (path.empty()) return Prior::Shipped();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return absl::NotFoundError(fmt::format("--prior {}: cannot be read; name a prior in its text form", path));
  absl::StatusOr<Prior> prior = Prior::Parse(text.str());
  if (prior.ok()) return prior;
  return absl::InvalidArgumentError(fmt::format("--prior {}: {}", path, std::string(prior.status().message())));
}

template <typename Text>
void Complain(std::ostream& err, const Text& text) {
  err << "curvecast: " << std::string(text) << "\n";
}

absl::Status Check(const BacktestOptions& options) {
  if (options.history == "project" || options.history.starts_with("family:")) {
    return absl::UnimplementedError(fmt::format(
        "--history {}: forecasts that lean on finished runs are not there yet; use --history none", options.history));
  }
  if (options.history != "none") {
    return absl::InvalidArgumentError(fmt::format(
        "--history {}: not one of none, project, family:K (of which only none works yet)", options.history));
  }
  if (options.runs.empty()) return absl::InvalidArgumentError("RUNS: none given; name run files or folders of them");
  for (double f : options.fractions) {
    if (!(f > 0 && f <= 1)) {
      return absl::InvalidArgumentError(fmt::format("--at {}: give fractions above 0 and at most 1", f));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<double>> ParseFractions(std::string_view text) {
  std::vector<double> fractions;
  while (true) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, end);
    double value = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || stop != part.data() + part.size() || !(value > 0 && value <= 1)) {
      return absl::InvalidArgumentError(
          fmt::format("--at: \"{}\" is no fraction; give numbers above 0 and at most 1, such as 0.2,0.5,0.8", part));
    }
    fractions.push_back(value);
    if (end == text.size()) return fractions;
    text.remove_prefix(end + 1);
  }
}

int RunBacktest(const BacktestOptions& options, std::ostream& out, std::ostream& err) {
  if (const absl::Status status = Check(options); !status.ok()) {
    Complain(err, status.message());
    return kBacktestUsage;
  }
  const absl::StatusOr<Prior> prior = LoadPrior(options.prior_file);
  if (!prior.ok()) {
    Complain(err, prior.status().message());
    return kBacktestUsage;
  }
  std::vector<double> fractions = options.fractions;
  std::sort(fractions.begin(), fractions.end());
  fractions.erase(std::unique(fractions.begin(), fractions.end()), fractions.end());
  std::vector<std::string> files;
  for (const std::string& path : options.runs) {
    const absl::StatusOr<std::vector<std::string>> found = FindRunFiles(path);
    if (!found.ok()) {
      Complain(err, found.status().message());
      return kBacktestNoSuchFile;
    }
    files.insert(files.end(), found->begin(), found->end());
  }
  const std::vector<FileResult> results = ReplayAll(files, options, fractions, *prior, err);
  size_t used = 0, skipped = 0, faults = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!results[i].problem.empty()) Complain(err, results[i].problem);
    faults += results[i].problem.empty() ? 0 : 1;
    skipped += results[i].skipped.empty() ? 0 : 1;
    used += results[i].lines.empty() ? 0 : 1;
    if (options.output == BacktestOptions::Output::kJson) PrintJson(results[i], out);
  }
  if (skipped > 0) {
    Complain(err,
             fmt::format("{} of {} runs were left out: not complete, or without totalSteps", skipped, files.size()));
  }
  if (used == 0) {
    Complain(err, "no complete run was found; backtest needs runs that reached 97 % of their totalSteps");
    return kBacktestNoRuns;
  }
  if (options.output == BacktestOptions::Output::kTable) PrintTable(results, out);
  return faults > 0 ? kBacktestPartly : kBacktestDone;
}

}  // namespace curvecast
