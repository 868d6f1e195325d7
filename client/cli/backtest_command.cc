#include <unistd.h>

#include <iostream>

#include "client/cli/backtest/backtest.h"
#include "client/cli/backtest/prior_training.h"
#include "client/cli/commands.h"
#include "client/cli/terminal.h"

namespace curvecast {
namespace {

ExitCode ToExitCode(int code) {
  switch (code) {
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

}  // namespace

ExitCode Backtest(const CommonOptions& common, const BacktestArguments& arguments) {
  BacktestOptions options;
  options.runs = arguments.paths;
  options.history = arguments.history;
  options.history_runs = arguments.history_runs;
  options.prior_file = arguments.prior_file;
  options.threads = arguments.threads;
  options.output =
      common.output == OutputFormat::kJson ? BacktestOptions::Output::kJson : BacktestOptions::Output::kTable;
  options.show_progress = isatty(STDERR_FILENO) != 0;
  const absl::StatusOr<std::vector<double>> fractions = ParseFractions(arguments.fractions);
  if (!fractions.ok()) return Fail(fractions.status());
  options.fractions = *fractions;
  return ToExitCode(RunBacktest(options, std::cout, std::cerr));
}

ExitCode TrainPrior(const PriorTrainArguments& arguments) {
  PriorTrainingOptions options;
  options.runs = arguments.paths;
  options.leave_out = arguments.leave_out;
  options.apart = arguments.apart;
  options.output_file = arguments.output_file;
  options.intervals = !arguments.no_intervals;
  options.threads = arguments.threads;
  options.show_progress = isatty(STDERR_FILENO) != 0;
  return ToExitCode(TrainPriorFile(options, std::cout, std::cerr));
}

}  // namespace curvecast
