#include "client/cli/backtest/backtest.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <ostream>
#include <utility>

#include "client/cli/backtest/backtest_output.h"
#include "client/cli/backtest/run_set.h"
#include "core/law/law.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr size_t kMostSiblings = 1000;  // That --history family:K may ask for.

// What --history says: nothing for "none".
absl::StatusOr<std::optional<History::Choice>> ParseHistory(const std::string& text) {
  if (text == "none") return std::optional<History::Choice>();
  History::Choice choice;
  choice.siblings = 0;
  if (text == "project") return std::optional(choice);
  constexpr std::string_view kFamily = "family:";
  if (text.starts_with(kFamily)) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + kFamily.size(), end, choice.siblings);
    if (error == std::errc() && stop == end && choice.siblings <= kMostSiblings) return std::optional(choice);
  }
  return absl::InvalidArgumentError(
      fmt::format("--history {}: give none, project, or family:K with K from 0 to {}", text, kMostSiblings));
}

absl::Status CheckFractions(const std::vector<double>& fractions) {
  for (double f : fractions) {
    if (!(f > 0 && f <= 1)) {
      return absl::InvalidArgumentError(fmt::format("--at {}: give fractions above 0 and at most 1", f));
    }
  }
  return absl::OkStatus();
}

// Without a history it leans on nothing.
Backtested Replay(const CompleteRun& run, const std::vector<double>& fractions, const Prior& prior,
                  const History* history, const History::Choice& choice) {
  Backtested result{.spec = run.spec, .actual = run.actual, .lines = {}};
  std::optional<Belief> kin;
  bool asked = false;
  for (double fraction : fractions) {
    const Plan plan = run.PlanAt(fraction);
    // What the kin say hangs on the plan alone, which moves only where it is read off logged rates.
    if (history != nullptr && (!asked || !run.rate_metric.empty())) {
      kin = history->Lean(run.descent(), plan, 0, prior, choice);
      asked = true;
    }
    const Lean lean{.kin = kin.has_value() ? &*kin : nullptr, .factors = nullptr};
    const Curve curve = run.Until(fraction);
    result.lines.push_back({fraction, ForecastEnd(curve, plan, prior, lean), curve.points()});
  }
  return result;
}

std::vector<Backtested> ReplayAll(const BacktestOptions& options, const RunSet& set, const RunSet& past,
                                  const std::optional<History::Choice>& choice, const std::vector<double>& fractions,
                                  const Prior& prior, const Progress& progress) {
  std::map<PastKey, History> histories;
  if (choice.has_value()) histories = MakeHistories({&past, &set}, prior, options.threads);
  std::vector<Backtested> results(set.runs.size());
  ForEach(results.size(), options.threads, progress, [&](size_t i) {
    const CompleteRun& run = set.runs[i];
    const auto history = histories.find(PastKeyOf(run.spec));
    results[i] = Replay(run, fractions, prior, history != histories.end() ? &history->second : nullptr,
                        choice.value_or(History::Choice{}));
  });
  return results;
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
  const auto usage = [&err](const absl::Status& status) {
    Complain(err, std::string(status.message()));
    return kBacktestUsage;
  };
  const absl::StatusOr<std::optional<History::Choice>> choice = ParseHistory(options.history);
  if (!choice.ok()) return usage(choice.status());
  if (options.runs.empty()) return usage(absl::InvalidArgumentError("RUNS: none given; name run files or folders"));
  if (!options.history_runs.empty() && !choice->has_value()) {
    return usage(absl::InvalidArgumentError("--history-runs: of no use with --history none; give project or family:K"));
  }
  if (const absl::Status status = CheckFractions(options.fractions); !status.ok()) return usage(status);
  const absl::StatusOr<Prior> prior = LoadPrior(options.prior_file);
  if (!prior.ok()) return usage(prior.status());

  const Progress progress{options.show_progress ? &err : nullptr, "runs"};
  const absl::StatusOr<RunSet> set = ReadRunSet(options.runs, options.threads, progress, err);
  const absl::StatusOr<RunSet> past =
      set.ok() ? ReadRunSet(options.history_runs, options.threads, progress, err) : set.status();
  if (!past.ok()) {
    Complain(err, std::string(past.status().message()));
    return kBacktestNoSuchFile;
  }
  if (set->skipped > 0) {
    Complain(err,
             fmt::format("{} of {} runs were left out: not complete, or without totalSteps", set->skipped, set->files));
  }
  if (set->runs.empty()) {
    Complain(err, "no complete run was found; backtest needs runs that reached 97 % of their totalSteps");
    return kBacktestNoRuns;
  }
  std::vector<double> fractions = options.fractions;
  std::sort(fractions.begin(), fractions.end());
  fractions.erase(std::unique(fractions.begin(), fractions.end()), fractions.end());
  const std::vector<Backtested> results = ReplayAll(options, *set, *past, *choice, fractions, *prior, progress);
  if (options.output == BacktestOptions::Output::kTable) {
    PrintTable(results, out);
  } else {
    for (const Backtested& result : results) PrintJson(result, out);
  }
  return set->faults + past->faults > 0 ? kBacktestPartly : kBacktestDone;
}

}  // namespace curvecast
