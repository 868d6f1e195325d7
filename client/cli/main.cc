#include <cstdio>
#include <exception>
#include <iostream>

#include "client/cli/command_line.h"
#include "client/cli/terminal.h"

namespace curvecast {
namespace {

// One overload a command.
struct Runner {
  const CommonOptions& common;
  ExitCode operator()(const RunsCommand& command) const { return ListRuns(common, command.project); }
  ExitCode operator()(const ShowCommand& command) const {
    if (!command.svg.empty()) return DrawRunPicture(common, command.run, command.metric, command.svg);
    return ShowRun(common, command.run, command.metric);
  }
  ExitCode operator()(const WatchCommand& command) const { return WatchRun(common, command.run); }
  ExitCode operator()(const ForecastCommand& command) const {
    return ForecastRun(common, command.run, command.options);
  }
  ExitCode operator()(const PushCommand& command) const { return Push(common, command.options); }
  ExitCode operator()(const ImportCommand& command) const { return Import(common, command.paths); }
  ExitCode operator()(const BacktestCommand& command) const { return Backtest(common, command.arguments); }
  ExitCode operator()(const PriorTrainCommand& command) const { return TrainPrior(command.arguments); }
  ExitCode operator()(const LawsCommand& command) const { return Laws(common, command.arguments); }
  ExitCode operator()(const FlagsCommand& command) const {
    return command.arguments.paths.empty() ? ListFlags(common, command.arguments)
                                           : ReplayFlags(common, command.arguments);
  }
  ExitCode operator()(const AckCommand& command) const { return AcknowledgeFlag(common, command.answer); }
  ExitCode operator()(const SilenceCommand& command) const {
    return SilenceFlag(common, command.answer, command.duration);
  }
};

ExitCode Main(const std::vector<std::string>& arguments) {
  const ParsedCommandLine parsed = ParseCommandLine(arguments);
  if (!parsed.line.has_value()) {
    std::fputs(parsed.text.c_str(), parsed.code == ExitCode::kOk ? stdout : stderr);
    return parsed.code;
  }
  return std::visit(Runner{parsed.line->common}, parsed.line->command);
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  try {
    const curvecast::ExitCode code = curvecast::Main({argv + 1, argv + argc});
    std::cout.flush();
    if (std::cout.good() && std::fflush(stdout) == 0) return static_cast<int>(code);
    curvecast::Complain("not all of the output could be written; is the disk full, or the reader gone?");
    return static_cast<int>(curvecast::ExitCode::kFailed);
  } catch (const std::exception& error) {
    curvecast::Complain(error.what());
    return static_cast<int>(curvecast::ExitCode::kFailed);
  }
}
