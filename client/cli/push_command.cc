#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/replay.h"
#include "client/cli/terminal.h"
#include "client/cpp/link.h"
#include "client/import/run_file.h"

namespace curvecast {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBufferedPoints = 1 << 16;
constexpr milliseconds kPoll(5);
constexpr std::chrono::seconds kLastWait(30);

uint64_t NowUnixMicros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

// A run on its way through the reporter's link, which survives a daemon that restarts. Unlike a job, a replay can wait,
// so nothing is ever dropped for want of room. Rewinds are said, not guessed: the buffer has no objective.
class Pusher {
 public:
  Pusher(const v1::Run& run, const CommonOptions& common, const PushOptions& options)
      : points_per_second_(options.points_per_second),
        name_(run.project() + "/" + run.run_id()),
        buffer_("", kBufferedPoints),
        link_(run, ToLinkOptions(common), buffer_) {}

  // False once the daemon will take no more.
  bool Add(const std::string& metric, int64_t step, double value) {
    if (!WaitForTurn()) return false;
    buffer_.Append(step, metric, value);
    return true;
  }
  void Rewind(int64_t from_step) { buffer_.Rewind(from_step); }

  ExitCode Finish(const CommonOptions& common, const std::optional<v1::End>& end) {
    buffer_.Close();
    link_.Close(end.has_value() ? std::optional(end->state()) : std::nullopt);
    const bool delivered = link_.WaitUntilSettled(kLastWait);
    const Link::Counts counts = link_.counts();
    const uint64_t refused = counts.refused + buffer_.counts().dropped;
    if (common.output == OutputFormat::kTable) {
      Print(fmt::format("{}: {} points taken, {} refused\n", name_, counts.acknowledged, refused));
    } else {
      Print(fmt::format("{{\"run\": \"{}\", \"points\": {}, \"refusedPoints\": {}}}\n", name_, counts.acknowledged,
                        refused));
    }
    if (refused > 0) return ExitCode::kInputRefused;
    if (delivered) return ExitCode::kOk;
    return Fail(UnreachableError(common.address, "the last points were not acknowledged"));
  }

 private:
  static LinkOptions ToLinkOptions(const CommonOptions& common) {
    LinkOptions link;
    link.address = common.address;
    link.first_incarnation = NowUnixMicros();
    link.flush_interval = milliseconds(50);
    link.warn = Complain;
    return link;
  }

  bool WaitForTurn() {
    using Clock = std::chrono::steady_clock;
    if (points_per_second_ > 0) {
      const std::chrono::duration<double> due(static_cast<double>(added_) / points_per_second_);
      std::this_thread::sleep_until(start_ + std::chrono::duration_cast<Clock::duration>(due));
    }
    if (++added_ % 256 == 0 || points_per_second_ > 0) {
      while (buffer_.size() >= kBufferedPoints / 2 && !link_.settled()) std::this_thread::sleep_for(kPoll);
    }
    return !link_.settled();
  }

  const double points_per_second_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const std::string name_;
  uint64_t added_ = 0;
  PointBuffer buffer_;
  Link link_;
};

bool AddAll(Pusher& pusher, const v1::Points& points) {
  for (int i = 0; i < points.step_size(); ++i) {
    if (!pusher.Add(points.metric(), points.step(i), points.value(i))) return false;
  }
  return true;
}

// What comes, as it comes: nothing can be put in order that has not been written yet.
ExitCode PushLines(const CommonOptions& common, const PushOptions& options, std::istream& in) {
  RunFileReader reader(in, options.file == "-" ? "stdin" : options.file);
  std::unique_ptr<Pusher> pusher;
  std::optional<v1::End> end;
  while (true) {
    absl::StatusOr<std::optional<v1::RunFileLine>> line = reader.Next();
    if (!line.ok()) {
      Fail(line.status());
      if (pusher != nullptr) pusher->Finish(common, std::nullopt);
      return ExitCode::kInputRefused;
    }
    if (!line->has_value()) break;
    const v1::RunFileLine& what = **line;
    if (what.has_run()) pusher = std::make_unique<Pusher>(what.run(), common, options);
    if (what.has_points() && !AddAll(*pusher, what.points())) break;
    if (what.has_rewind()) pusher->Rewind(what.rewind().from_step());
    if (what.has_end()) end = what.end();
  }
  if (pusher == nullptr)
    return Fail(absl::InvalidArgumentError("stdin: expected \"run\" on the first line, found nothing"));
  return pusher->Finish(common, end);
}

ExitCode PushFile(const CommonOptions& common, const PushOptions& options) {
  const absl::StatusOr<ReadRun> run = ReadRunFile(options.file);
  if (!run.ok()) {
    const ExitCode code = Fail(run.status());
    return code == ExitCode::kNotFound ? code : ExitCode::kInputRefused;
  }
  Pusher pusher(run->run, common, options);
  for (const RunSegment& segment : run->segments) {
    if (segment.rewind_from.has_value()) pusher.Rewind(*segment.rewind_from);
    for (const PointPlace& place : InOrderOfStep(segment)) {
      const v1::Points& points = segment.metrics[place.metric];
      if (!pusher.Add(points.metric(), place.step, points.value(place.index))) break;
    }
  }
  const ExitCode code = pusher.Finish(common, run->end);
  if (run->error.ok()) return code;
  Fail(run->error);
  return code == ExitCode::kOk ? ExitCode::kInputRefused : code;
}

}  // namespace

ExitCode Push(const CommonOptions& common, const PushOptions& options) {
  if (const absl::Status status = DaemonClient(common.address).Ping(); !status.ok()) return Fail(status);
  if (options.file != "-") return PushFile(common, options);
  std::ios::sync_with_stdio(false);
  return PushLines(common, options, std::cin);
}

}  // namespace curvecast
