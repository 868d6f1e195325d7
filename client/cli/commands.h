#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/exit_code.h"

// What `curvecast` can do, one function a command. Each writes its result to stdout and its complaints to stderr.
namespace curvecast {

enum class OutputFormat { kTable, kJson };

struct CommonOptions {
  std::string address;
  OutputFormat output = OutputFormat::kTable;
  bool ascii = false;
};

struct PushOptions {
  std::string file;              // "-": stdin, as it comes.
  double points_per_second = 0;  // 0: as fast as it goes.
};

// "What if", as typed. What is absent stays as planned.
struct ForecastOptions {
  std::optional<int64_t> total_steps;
  std::string decay;       // As Schedule::Decay is called, in small letters with hyphens; or empty.
  std::string decay_from;  // A step, "now", or empty.
  std::optional<double> final_lr;
};

struct BacktestArguments {
  std::vector<std::string> paths;
  std::string fractions = "0.1,0.2,0.5,0.8";
  std::string history = "none";
  std::vector<std::string> history_runs = {};
  std::string prior_file;
  unsigned threads = 0;
};

struct PriorTrainArguments {
  std::vector<std::string> paths = {};
  std::string output_file = {};
  std::vector<std::string> leave_out = {}, apart = {};
  bool no_intervals = false;
  unsigned threads = 0;
};

struct LawsArguments {
  std::string project = {};             // Asked of the daemon, or
  std::vector<std::string> files = {};  // run files and folders.
  bool check = false;                   // Leave runs out and foretell their level too.
};

ExitCode ListRuns(const CommonOptions& common, const std::string& project);
ExitCode ShowRun(const CommonOptions& common, const std::string& run, const std::string& metric);
ExitCode Watch(const CommonOptions& common, const std::string& run);  // Empty: all.
ExitCode ForecastRun(const CommonOptions& common, const std::string& run, const ForecastOptions& options);
ExitCode Push(const CommonOptions& common, const PushOptions& options);
ExitCode Import(const CommonOptions& common, const std::vector<std::string>& paths);
ExitCode Backtest(const CommonOptions& common, const BacktestArguments& arguments);
ExitCode TrainPrior(const PriorTrainArguments& arguments);
ExitCode Laws(const CommonOptions& common, const LawsArguments& arguments);

}  // namespace curvecast
