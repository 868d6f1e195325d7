#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/commands.h"

namespace curvecast {

struct RunsCommand {
  std::string project;
};
struct ShowCommand {
  std::string run;
  std::string metric;
  std::string svg;  // Draw into this file instead; "-" is stdout.
};
struct WatchCommand {
  std::string run;
};
struct PushCommand {
  PushOptions options;
};
struct ImportCommand {
  std::vector<std::string> paths;
};

struct BacktestCommand {
  BacktestArguments arguments;
};

struct PriorTrainCommand {
  PriorTrainArguments arguments;
};

struct LawsCommand {
  LawsArguments arguments;
};

struct ForecastCommand {
  std::string run;
  ForecastOptions options;
};

struct FlagsCommand {
  FlagsArguments arguments;
};

struct AckCommand {
  FlagAnswer answer;
};

struct SilenceCommand {
  FlagAnswer answer;
  std::string duration;
};

struct CommandLine {
  CommonOptions common;
  std::variant<RunsCommand, ShowCommand, WatchCommand, ForecastCommand, PushCommand, ImportCommand, BacktestCommand,
               PriorTrainCommand, LawsCommand, FlagsCommand, AckCommand, SilenceCommand>
      command;
};

// What the arguments say. If there is nothing to run (--help, --version, a mistake), the text to print instead and its
// exit code.
struct ParsedCommandLine {
  std::optional<CommandLine> line;
  std::string text;
  ExitCode code = ExitCode::kOk;
};
ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace curvecast
