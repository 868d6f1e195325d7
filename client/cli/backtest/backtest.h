#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

// What `curvecast backtest` was asked for.
struct BacktestOptions {
  enum class Output { kTable, kJson };

  std::vector<std::string> runs;          // Run files, or folders of them.
  std::vector<std::string> history_runs;  // The same: to lean on, not to forecast.
  std::vector<double> fractions = {0.1, 0.2, 0.5, 0.8};
  // What a forecast may lean on besides the prior: "none"; "project", the finished runs of its project but of other
  // families; "family:K", those and K finished siblings, picked by a stable hash of their ids. Never the run itself.
  std::string history = "none";
  // A prior in its text form instead of the shipped one, such as one that has not seen these runs. Empty: the shipped.
  std::string prior_file;
  Output output = Output::kTable;
  unsigned threads = 0;        // 0: every core.
  bool show_progress = false;  // On `err`, in place: for a terminal.
};

// What --at says: "0.1,0.2,0.5". INVALID_ARGUMENT unless every part is a number above 0 and at most 1.
absl::StatusOr<std::vector<double>> ParseFractions(std::string_view text);

// Exit codes of `curvecast backtest` and `curvecast prior`.
inline constexpr int kBacktestDone = 0;
inline constexpr int kBacktestNoRuns = 1;  // Nothing could be read, or nothing of it was a complete run.
inline constexpr int kBacktestUsage = 2;
inline constexpr int kBacktestNoSuchFile = 4;
inline constexpr int kBacktestPartly = 5;  // Some file was at fault; the others count.

// For every complete run (it reached 97 % of its plan with a finite end) and every fraction f: the forecast that would
// have been given when only the points with step <= f x total_steps had arrived, and what the run really reached, the
// mean of its objective over the last 1 % of the plan. The table goes to `out`, or one JSON object a line:
//   {"project","runId","family","fraction","step","forecast":{"status","reason"|"quantiles"},"actual"}
// in order of the files, whatever the number of threads. What could not be read, and what was left out, goes to `err`.
int RunBacktest(const BacktestOptions& options, std::ostream& out, std::ostream& err);

}  // namespace curvecast
