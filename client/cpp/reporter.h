#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace curvecast {

// The learning rate as planned; see Schedule in run.proto.
struct ReportedSchedule {
  enum class Decay { kNone, kCosine, kLinear, kExponential, kOneMinusSqrt };
  double peak_lr = 0;
  double final_lr = 0;
  int64_t warmup_steps = 0;
  Decay decay = Decay::kNone;
  int64_t decay_start_step = 0;
};

// What a job says of its run; see Run in run.proto.
struct ReportedRun {
  std::string project;
  std::string run_id;
  std::string family;
  std::string objective = "train/loss";
  bool maximize = false;
  std::optional<int64_t> total_steps;
  std::optional<double> parameters;
  std::optional<double> tokens_per_step;
  std::optional<ReportedSchedule> schedule;
  std::map<std::string, std::string> labels;
};

enum class RunEnd { kCompleted, kFailed, kStopped };

struct ReporterOptions {
  // host:port of the daemon, or tls://host:port (README.md). Empty: the environment's CURVECAST_ADDRESS, else
  // 127.0.0.1:7461.
  std::string address = "";
  // Where this process takes its run up again, 0 to 2^53: what an earlier process reported at this step or later is
  // superseded. Say it when a checkpoint was loaded, since else the daemon goes by the first steps of the objective
  // that reach it. Not needed for a rewind within the process; see Log.
  std::optional<int64_t> resume_step = std::nullopt;
  std::string writer = "";                        // Of a job of several processes: see Open in ingest.proto.
  size_t max_buffered_points = 1 << 17;           // Past it they are thinned, and counted. 32 bytes each.
  size_t max_points_per_batch = 1024;             // Less than 1 is taken as 1, more than the protocol's 16384 as 16384.
  std::chrono::milliseconds flush_interval{200};  // A batch waits no longer for company.
  std::chrono::milliseconds close_timeout{3000};  // How long the destructor waits for what is unsent.
};

// Reports one run to curvecastd. Log() is an append to a bounded buffer; a thread of the reporter's own does the rest.
// Nothing here blocks training, throws, or grows without bound: if the daemon is away the points wait, then the oldest
// are dropped and counted, and one warning goes to stderr. Every function may be called from any thread. A forked child
// must not use it.
class Reporter {
 public:
  explicit Reporter(ReportedRun run, ReporterOptions options = {});
  // Without Finish: waits at most `close_timeout` for what is unsent, and leaves the run RUNNING, since the job may
  // come back.
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // A microsecond. A step of the objective below the last one means that the job restarted from a checkpoint: the
  // reporter opens a new incarnation, and the daemon supersedes what it has from this step on.
  void Log(int64_t step, std::string_view metric, double value) noexcept;

  // The job begins something long without a point of the objective, such as an evaluation or a wait for a machine:
  // until that point comes, or `max_seconds` (above 0, at most 30 days) are over, the run is not called silent. As
  // quick and as safe as Log. A phase that is over before the daemon could be told of it is not sent.
  void BeginPhase(std::string_view name, double max_seconds) noexcept;

  // Says how the run ended and waits, at most `timeout`, until everything is acknowledged. True if it is, and nothing
  // was dropped. Points logged afterwards are dropped.
  bool Finish(RunEnd end, std::chrono::milliseconds timeout = std::chrono::seconds(10)) noexcept;

  struct Stats {
    uint64_t logged = 0;        // Points.
    uint64_t acknowledged = 0;  // On the daemon's disk.
    uint64_t dropped = 0;       // Given up: buffer full, or refused by the daemon.
    uint64_t reconnects = 0;
  };
  Stats stats() const noexcept;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace curvecast
