// What people use today to say where a run will end, beside curvecast's own forecasts. See README.md.
//   bin/law_peers [--at 0.1,0.2,0.5,0.8] [--most N] [--siblings K] [--forecasts BACKTEST.jsonl | --prior FILE] RUNS...

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <thread>

#include "client/cli/backtest/backtest.h"
#include "fmt/format.h"
#include "tests/bench/peers/collapse.h"
#include "tests/bench/peers/finished_run.h"
#include "tests/bench/peers/peers.h"
#include "tests/bench/peers/score_table.h"

namespace curvecast::peers {
namespace {

constexpr size_t kFewestPoints = 4;  // A prefix of fewer points is no question.
const std::vector<std::string> kMethods = {"last value",   "power law in steps", "multi-power law",
                                           "momentum law", "collapse",           "curvecast"};
constexpr size_t kCollapse = 4, kCurvecast = 5;

struct Options {
  std::vector<std::string> runs;
  std::string fractions = "0.1,0.2,0.5,0.8", forecasts, prior;
  size_t most = std::numeric_limits<size_t>::max(), siblings = 10;
};

int Fail(const std::string& text) {
  std::cerr << "law_peers: " << text << "\n";
  return 1;
}

// Calls work(i) for each i below count, on every core.
void OnEveryCore(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  const auto loop = [&] {
    for (size_t i; (i = next++) < count;) work(i);
  };
  std::vector<std::thread> threads;
  for (unsigned t = 1; t < std::max(1U, std::thread::hardware_concurrency()); ++t) threads.emplace_back(loop);
  loop();
  for (std::thread& thread : threads) thread.join();
}

struct Runs {
  std::vector<FinishedRun> all;  // Complete, in order of the files.
  std::vector<size_t> asked;     // Of them, those to forecast.
};

// A file at fault is named and left out.
Runs ReadAll(const std::vector<RunFileChoice>& files) {
  std::vector<absl::StatusOr<std::optional<FinishedRun>>> read(files.size(), std::optional<FinishedRun>());
  OnEveryCore(files.size(), [&](size_t i) { read[i] = ReadFinishedRun(files[i].path); });
  Runs runs;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!read[i].ok()) Fail(std::string(read[i].status().message()));
    if (!read[i].ok() || !read[i]->has_value()) continue;
    if (files[i].asked) runs.asked.push_back(runs.all.size());
    runs.all.push_back(**std::move(read[i]));
  }
  return runs;
}

// FNV-1a: the same siblings on every machine.
uint64_t Hash(const std::string& text) {
  uint64_t hash = 14695981039346656037U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

// Finished runs by family, each collapsed, in an order that has nothing to do with what they are.
class Siblings {
 public:
  explicit Siblings(const std::vector<FinishedRun>& runs) : curves_(runs.size()) {
    OnEveryCore(runs.size(), [&](size_t i) { curves_[i] = Collapse(runs[i].Until(1), runs[i].actual); });
    for (size_t i = 0; i < runs.size(); ++i) {
      if (curves_[i].has_value()) families_[{runs[i].project, runs[i].family}].push_back(i);
    }
    for (auto& [family, members] : families_) {
      std::sort(members.begin(), members.end(), [&](size_t a, size_t b) {
        return std::pair(Hash(runs[a].run_id), a) < std::pair(Hash(runs[b].run_id), b);
      });
    }
  }

  // Up to `most`, never run `self` itself.
  std::vector<const CollapsedCurve*> Of(const FinishedRun& run, size_t self, size_t most) const {
    std::vector<const CollapsedCurve*> curves;
    const auto family = families_.find({run.project, run.family});
    if (family == families_.end()) return curves;
    for (size_t i : family->second) {
      if (i != self && curves.size() < most) curves.push_back(&*curves_[i]);
    }
    return curves;
  }

 private:
  std::vector<std::optional<CollapsedCurve>> curves_;
  std::map<std::pair<std::string, std::string>, std::vector<size_t>> families_;
};

absl::StatusOr<ToldByCurvecast> CurvecastTold(const Options& options, const std::vector<RunFileChoice>& files,
                                              const std::vector<double>& fractions) {
  if (!options.forecasts.empty()) {
    std::ifstream in(options.forecasts);
    if (!in) return absl::NotFoundError("--forecasts " + options.forecasts + ": cannot be opened");
    return ReadForecasts(in, options.forecasts);
  }
  BacktestOptions backtest;
  for (const RunFileChoice& file : files) {
    if (file.asked) backtest.runs.push_back(file.path);
  }
  backtest.fractions = fractions;
  backtest.prior_file = options.prior;
  backtest.output = BacktestOptions::Output::kJson;
  std::stringstream out, err;
  const int code = RunBacktest(backtest, out, err);
  if (code != kBacktestDone && code != kBacktestPartly) return absl::InternalError(err.str());
  return ReadForecasts(out, "backtest");
}

// What every method says of one run at one fraction; empty if the prefix is no question.
std::vector<Told> Ask(const FinishedRun& run, double fraction, const std::vector<const CollapsedCurve*>& siblings) {
  const Prefix prefix = run.Until(fraction);
  if (prefix.steps.size() < kFewestPoints) return {};
  std::vector<Told> told(kMethods.size());
  told[0].end = LastValue(prefix);
  told[1].end = PowerLawInSteps(prefix);
  told[2].end = MultiPowerLaw(prefix);
  told[3].end = MomentumLaw(prefix);
  told[kCollapse].end = CollapseEarlyAlign(prefix, siblings);
  return told;
}

int Compare(const Options& options) {
  const absl::StatusOr<std::vector<double>> fractions = ParseFractions(options.fractions);
  if (!fractions.ok()) return Fail(std::string(fractions.status().message()));
  const absl::StatusOr<std::vector<RunFileChoice>> files = ChooseRunFiles(options.runs, options.most);
  if (!files.ok()) return Fail(std::string(files.status().message()));
  const Runs runs = ReadAll(*files);
  if (runs.asked.empty()) return Fail("no complete run was found; give runs that reached 97 % of their totalSteps");
  const absl::StatusOr<ToldByCurvecast> curvecast = CurvecastTold(options, *files, *fractions);
  if (!curvecast.ok()) return Fail(std::string(curvecast.status().message()));

  const Siblings siblings(runs.all);
  std::vector<std::vector<std::vector<Told>>> told(runs.asked.size());  // By run, fraction, method.
  OnEveryCore(runs.asked.size(), [&](size_t i) {
    const FinishedRun& run = runs.all[runs.asked[i]];
    const auto kin = siblings.Of(run, runs.asked[i], options.siblings);
    for (double fraction : *fractions) told[i].push_back(Ask(run, fraction, kin));
  });
  ScoreTable table(kMethods);
  for (size_t i = 0; i < runs.asked.size(); ++i) {
    const FinishedRun& run = runs.all[runs.asked[i]];
    for (size_t f = 0; f < fractions->size(); ++f) {
      if (told[i][f].empty()) continue;
      const auto ours = curvecast->find({run.project, run.run_id, FractionKey((*fractions)[f])});
      if (ours != curvecast->end()) told[i][f][kCurvecast] = ours->second;
      for (size_t m = 0; m < kMethods.size(); ++m) {
        table.Add(run.project, (*fractions)[f], m, told[i][f][m], run.actual);
      }
    }
  }
  std::cout << table.Text();
  return 0;
}

}  // namespace
}  // namespace curvecast::peers

int main(int argc, char** argv) {
  curvecast::peers::Options options;
  CLI::App app("Forecasts of finished runs from their first part: what people use today, beside curvecast");
  app.add_option("RUNS", options.runs, "Run files and folders")->required();
  app.add_option("--at", options.fractions, "Shares of the run to forecast from")->capture_default_str();
  app.add_option("--most", options.most, "At most so many runs of each folder, evenly spaced")
      ->check(CLI::PositiveNumber);
  app.add_option("--siblings", options.siblings, "At most so many siblings for collapse")->capture_default_str();
  auto* forecasts =
      app.add_option("--forecasts", options.forecasts, "Of `curvecast backtest -o json`, instead of making them");
  app.add_option("--prior", options.prior, "A prior in its text form instead of the shipped one")->excludes(forecasts);
  CLI11_PARSE(app, argc, argv);
  return curvecast::peers::Compare(options);
}
