#include <unistd.h>

#include <iostream>

#include "client/cli/backtest/backtest.h"
#include "client/cli/commands.h"
#include "client/cli/terminal.h"

namespace curvecast {

ExitCode Backtest(const CommonOptions& common, const BacktestArguments& arguments) {
  BacktestOptions options;
  options.runs = arguments.paths;
  options.history = arguments.history;
  options.prior_file = arguments.prior_file;
  options.threads = arguments.threads;
  options.output =
      common.output == OutputFormat::kJson ? BacktestOptions::Output::kJson : BacktestOptions::Output::kTable;
  options.show_progress = isatty(STDERR_FILENO) != 0;
  const absl::StatusOr<std::vector<double>> fractions = ParseFractions(arguments.fractions);
  if (!fractions.ok()) return Fail(fractions.status());
  options.fractions = *fractions;
  switch (RunBacktest(options, std::cout, std::cerr)) {
    case kBacktestDone:
      return ExitCode::kOk;
    case kBacktestUsage:
      return ExitCode::kUsage;
    case kBacktestNoSuchFile:
      return ExitCode::kNotFound;
    case kBacktestPartly:
      return ExitCode::kInputRefused;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace curvecast
