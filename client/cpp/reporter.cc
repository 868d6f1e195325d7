#include "client/cpp/reporter.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "client/cpp/declaration.h"
#include "client/cpp/link.h"
#include "client/cpp/point_buffer.h"

namespace curvecast {
namespace {

std::string AddressOr(const std::string& given) {
  if (!given.empty()) return given;
  const char* environment = std::getenv("CURVECAST_ADDRESS");
  return environment != nullptr && *environment != '\0' ? environment : "127.0.0.1:7461";
}

uint64_t NowUnixMicros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

LinkOptions ToLinkOptions(const ReporterOptions& options) {
  LinkOptions link;
  link.address = AddressOr(options.address);
  link.writer = options.writer;
  link.first_incarnation = NowUnixMicros();
  link.resume_step = options.resume_step;
  link.limits.max_points_per_batch = options.max_points_per_batch;
  link.flush_interval = options.flush_interval;
  link.warn = [](const std::string& text) { std::fprintf(stderr, "curvecast: %s\n", text.c_str()); };
  return link;
}

}  // namespace

class Reporter::Core {
 public:
  Core(const ReportedRun& run, const ReporterOptions& options)
      : buffer_(run.objective.empty() ? "train/loss" : run.objective, options.max_buffered_points),
        link_(ToProto(run), ToLinkOptions(options), buffer_),
        close_timeout_(options.close_timeout) {}

  // Without Finish: what is unsent is sent, and the run stays RUNNING.
  ~Core() {
    if (!finished_) Close(std::nullopt, close_timeout_);
  }

  bool Close(std::optional<RunEnd> end, std::chrono::milliseconds timeout) {
    buffer_.Close();
    if (!finished_.exchange(true)) {
      link_.Close(end.has_value() ? std::optional(ToProto(*end)) : std::nullopt);
    }
    return link_.WaitUntilSettled(timeout);
  }

  PointBuffer buffer_;
  Link link_;

 private:
  const std::chrono::milliseconds close_timeout_;
  std::atomic<bool> finished_ = false;
};

Reporter::Reporter(ReportedRun run, ReporterOptions options) {
  try {
    core_ = std::make_unique<Core>(run, options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "curvecast: this run is not reported: %s\n", e.what());
  }
}

Reporter::~Reporter() = default;

void Reporter::Log(int64_t step, std::string_view metric, double value) noexcept {
  if (core_ == nullptr) return;
  try {
    core_->buffer_.Append(step, metric, value);
  } catch (const std::exception&) {
    // Out of memory: the job has other worries than this point.
  }
}

void Reporter::BeginPhase(std::string_view name, double max_seconds) noexcept {
  if (core_ == nullptr) return;
  try {
    core_->buffer_.BeginPhase(name, max_seconds);
  } catch (const std::exception&) {
    // As above.
  }
}

bool Reporter::Finish(RunEnd end, std::chrono::milliseconds timeout) noexcept {
  if (core_ == nullptr) return false;
  try {
    return core_->Close(end, timeout) && stats().dropped == 0;
  } catch (const std::exception&) {
    return false;
  }
}

Reporter::Stats Reporter::stats() const noexcept {
  if (core_ == nullptr) return {};
  try {
    const PointBuffer::Counts buffered = core_->buffer_.counts();
    const Link::Counts link = core_->link_.counts();
    return {buffered.logged, link.acknowledged, buffered.dropped + link.refused, link.reconnects};
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace curvecast
