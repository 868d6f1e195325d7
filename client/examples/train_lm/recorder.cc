#include "client/examples/train_lm/recorder.h"

#include <fstream>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "client/cpp/declaration.h"
#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"

namespace curvecast::train_lm {
namespace {

constexpr int kPointsPerLine = 256;

v1::RunFileLine HeadLine(const ReportedRun& run) {
  v1::RunFileLine line;
  *line.mutable_run() = ToProto(run);
  return line;
}

v1::RunFileLine RewindLine(int64_t from_step) {
  v1::RunFileLine line;
  line.mutable_rewind()->set_from_step(from_step);
  return line;
}

}  // namespace

Recorder::Recorder() = default;
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder::~Recorder() = default;

absl::StatusOr<Recorder> Recorder::Open(const Options& options, const ReportedRun& run, int64_t resumed_from) {
  Recorder recorder;
  if (!options.write_run_file.empty()) {
    auto file =
        std::make_unique<std::ofstream>(options.write_run_file, resumed_from > 0 ? std::ios::app : std::ios::trunc);
    if (!*file) {
      return absl::PermissionDeniedError(fmt::format("--write-run-file: cannot write \"{}\"", options.write_run_file));
    }
    recorder.file_ = std::move(file);
    recorder.Write(resumed_from > 0 ? RewindLine(resumed_from + 1) : HeadLine(run));
  }
  if (!options.offline) {
    ReporterOptions reporting;
    reporting.address = options.address;
    recorder.reporter_ = std::make_unique<Reporter>(run, reporting);
  }
  return recorder;
}

void Recorder::Log(int64_t step, std::string_view metric, double value) {
  if (reporter_) reporter_->Log(step, metric, value);
  if (!file_) return;
  v1::Points& points = unwritten_[std::string(metric)];
  points.add_step(step);
  points.add_value(value);
  if (++unwritten_points_ >= kPointsPerLine) Flush();
}

void Recorder::Flush() {
  for (auto& [metric, points] : unwritten_) {
    v1::RunFileLine line;
    *line.mutable_points() = std::move(points);
    line.mutable_points()->set_metric(metric);
    Write(line);
  }
  unwritten_.clear();
  unwritten_points_ = 0;
}

void Recorder::Write(const v1::RunFileLine& line) {
  std::string json;
  if (google::protobuf::util::MessageToJsonString(line, &json).ok()) *file_ << json << std::endl;
}

void Recorder::Finish() {
  if (file_) {
    Flush();
    v1::RunFileLine line;
    line.mutable_end()->set_state(v1::Run::COMPLETED);
    Write(line);
  }
  if (reporter_ && !reporter_->Finish(RunEnd::kCompleted)) {
    std::cerr << "train_lm: the daemon has not confirmed every point\n";
  }
}

Reporter::Stats Recorder::stats() const { return reporter_ ? reporter_->stats() : Reporter::Stats{}; }

}  // namespace curvecast::train_lm
