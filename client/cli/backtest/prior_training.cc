#include "client/cli/backtest/prior_training.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <utility>

#include "client/cli/backtest/backtest.h"
#include "client/cli/backtest/run_set.h"
#include "core/base/stable_hash.h"
#include "core/calibrate/interval.h"
#include "core/calibrate/prior_train.h"
#include "core/law/law.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr size_t kMostForecast = 300;  // Runs of a source that are forecast to learn the factors.
constexpr size_t kSiblings = 10;       // That every second of them may lean on.

using Grouped = std::map<std::string, std::vector<const CompleteRun*>>;  // By project.

std::vector<Source> MakeSources(const Grouped& groups, const std::vector<std::string>& apart,
                                const std::string& without) {
  std::vector<Source> sources;
  for (const auto& [name, runs] : groups) {
    if (name == without) continue;
    Source& source = sources.emplace_back();
    source.name = name;
    source.apart = std::find(apart.begin(), apart.end(), name) != apart.end();
    for (const CompleteRun* run : runs) source.runs.push_back({run->descent(), run->Until(1), run->PlanAt(1)});
  }
  return sources;
}

void Forecasts(const CompleteRun& run, const Plan& plan, const Prior& prior, const Belief* kin, RateKind kind,
               std::vector<Outcome>& outcomes) {
  for (double progress : kFactorProgress) {
    const Forecast f = ForecastEnd(run.Until(progress), plan, prior, {.kin = kin, .factors = &kNoFactors});
    if (!f.answered() || !(run.actual > 0) || plan.maximize) continue;
    outcomes.push_back({.source = run.spec.key.project,
                        .family = run.spec.family,
                        .kind = kind,
                        .support = kin != nullptr ? Support::kKin : Support::kNone,
                        .progress = progress,
                        .miss = Miss(f, run.actual)});
  }
}

// How the forecasts of one source come out under a prior that has not seen it.
std::vector<Outcome> HoldOut(const std::string& name, const Grouped& groups, const std::vector<std::string>& apart) {
  const Prior prior = TrainPrior(MakeSources(groups, apart, name));
  std::vector<const CompleteRun*> runs = groups.at(name);
  std::sort(runs.begin(), runs.end(), [](const CompleteRun* a, const CompleteRun* b) {
    const uint64_t ha = StableHash(a->spec.key.run_id), hb = StableHash(b->spec.key.run_id);
    return ha != hb ? ha < hb : a->spec.key < b->spec.key;
  });
  std::vector<Outcome> outcomes;
  for (size_t k = 0; k < kRateKinds; ++k) {
    const RateKind kind = static_cast<RateKind>(k);
    const auto plan_of = [kind](const CompleteRun& run) {
      Plan plan = run.PlanAt(1);
      if (kind == RateKind::kUnknown) plan.schedule.reset();
      return plan;
    };
    History history;
    for (const CompleteRun* run : runs) {
      std::optional<Relative> relative = MakeRelative(run->descent(), run->Until(1), plan_of(*run), prior);
      if (relative.has_value() && relative->kind == kind) history.Add(*std::move(relative));
    }
    for (size_t i = 0; i < std::min(runs.size(), kMostForecast); ++i) {
      const CompleteRun& run = *runs[i];
      const Plan plan = plan_of(run);
      if (RunClock(plan, 0).kind() != kind) continue;
      Forecasts(run, plan, prior, nullptr, kind, outcomes);
      const History::Choice choice{.siblings = i % 2 == 0 ? 0 : kSiblings};
      const std::optional<Belief> kin = history.Lean(run.descent(), plan, 0, prior, choice);
      if (kin.has_value()) Forecasts(run, plan, prior, &*kin, kind, outcomes);
    }
  }
  return outcomes;
}

std::string Head(const Grouped& groups) {
  std::string head =
      "# Made by `curvecast prior train`; what the lines mean stands in core/law/README.md. Learned from\n";
  for (const auto& [name, runs] : groups) head += fmt::format("#   {:<24} {:>5} complete runs\n", name, runs.size());
  return head;
}

bool Write(const std::string& text, const std::string& path, std::ostream& out) {
  if (path == "-") {
    out << text;
    return static_cast<bool>(out.flush());
  }
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

}  // namespace

int TrainPriorFile(const PriorTrainingOptions& options, std::ostream& out, std::ostream& err) {
  const Progress reading{options.show_progress ? &err : nullptr, "runs"};
  const absl::StatusOr<RunSet> set = ReadRunSet(options.runs, options.threads, reading, err);
  if (!set.ok()) {
    Complain(err, std::string(set.status().message()));
    return kBacktestNoSuchFile;
  }
  Grouped groups;
  for (const CompleteRun& run : set->runs) groups[run.spec.key.project].push_back(&run);
  for (const std::string& name : options.apart) {
    if (groups.contains(name)) continue;
    Complain(err, fmt::format("--apart {}: no complete run is of that project", name));
    return kBacktestUsage;
  }
  for (const std::string& name : options.leave_out) {
    if (groups.erase(name) > 0) continue;
    Complain(err, fmt::format("--leave-out {}: no complete run is of that project", name));
    return kBacktestUsage;
  }
  if (groups.empty()) {
    Complain(err, "no complete run was found; a prior is learned from runs that reached 97 % of their totalSteps");
    return kBacktestNoRuns;
  }
  Prior prior;
  std::vector<std::string> names;
  if (options.intervals) {
    // What is apart has spread of its own, and would widen the intervals of all others.
    for (const auto& [name, runs] : groups) {
      if (std::find(options.apart.begin(), options.apart.end(), name) == options.apart.end()) names.push_back(name);
    }
  }
  std::vector<std::vector<Outcome>> held_out(names.size());
  // The prior itself is one more training beside those that hold a source out.
  ForEach(names.size() + 1, options.threads, {}, [&](size_t i) {
    if (i == 0) {
      prior = TrainPrior(MakeSources(groups, options.apart, ""));
    } else {
      held_out[i - 1] = HoldOut(names[i - 1], groups, options.apart);
    }
  });
  std::vector<Outcome> outcomes;
  for (std::vector<Outcome>& of : held_out) outcomes.insert(outcomes.end(), of.begin(), of.end());
  if (options.intervals) LearnFactors(outcomes, prior);
  std::string text = prior.Format();
  text.insert(text.find('\n') + 1, Head(groups));
  if (!Write(text, options.output_file, out)) {
    Complain(err, fmt::format("--out {}: cannot be written; name a file in a folder that exists", options.output_file));
    return kBacktestNoSuchFile;
  }
  return set->faults > 0 ? kBacktestPartly : kBacktestDone;
}

}  // namespace curvecast
