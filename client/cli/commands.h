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

// `flags`: of the daemon, or of run files if there are paths.
struct FlagsArguments {
  std::vector<std::string> paths = {};         // Run files and folders.
  std::string project = {};                    // Of the daemon's flags: only this project's, or
  std::string run = {};                        // only this run's.
  bool active = false;                         // Leave out what is resolved, acknowledged or silenced.
  std::string at_least = {};                   // "info", "warning", "critical", or empty: all.
  std::string svg = {};                        // A replayed run's picture; "-" is stdout; empty: none.
  double false_alarms = 1e6;                   // Of a replay: mean points between two false alarms.
  std::vector<std::string> history_runs = {};  // Run files and folders: what a replayed run's project has finished.
  unsigned threads = 0;                        // 0: one for each core.
};

// What a person says of a flag.
struct FlagAnswer {
  std::string run = {};
  int64_t number = 0;
  std::string by = {};  // Who; required.
  std::string note = {};
};

ExitCode ListRuns(const CommonOptions& common, const std::string& project);
ExitCode ShowRun(const CommonOptions& common, const std::string& run, const std::string& metric);
// Draws it instead into a file of SVG; "-" is stdout.
ExitCode DrawRunPicture(const CommonOptions& common, const std::string& run, const std::string& metric,
                        const std::string& svg);
ExitCode WatchRun(const CommonOptions& common, const std::string& run);  // Empty: all.
ExitCode ForecastRun(const CommonOptions& common, const std::string& run, const ForecastOptions& options);
ExitCode Push(const CommonOptions& common, const PushOptions& options);
ExitCode Import(const CommonOptions& common, const std::vector<std::string>& paths);
ExitCode Backtest(const CommonOptions& common, const BacktestArguments& arguments);
ExitCode TrainPrior(const PriorTrainArguments& arguments);
ExitCode Laws(const CommonOptions& common, const LawsArguments& arguments);
ExitCode ListFlags(const CommonOptions& common, const FlagsArguments& arguments);    // Of the daemon.
ExitCode ReplayFlags(const CommonOptions& common, const FlagsArguments& arguments);  // Of run files.
ExitCode AcknowledgeFlag(const CommonOptions& common, const FlagAnswer& answer);
// `duration` as ParseDuration reads it; "0" ends a silence.
ExitCode SilenceFlag(const CommonOptions& common, const FlagAnswer& answer, const std::string& duration);

}  // namespace curvecast
