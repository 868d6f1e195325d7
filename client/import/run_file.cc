#include "client/import/run_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <system_error>
#include <utility>

#include "client/import/json_line.h"

namespace curvecast {
namespace {

constexpr int64_t kLargestStep = int64_t{1} << 53;
constexpr size_t kMaxNameBytes = 128;

bool IsName(std::string_view name, std::string_view punctuation) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxNameBytes)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + (text.size() > kMaxNameBytes ? "...\"" : "\"");
}

// What is wrong with the line by itself; empty if nothing.
std::string FaultOf(const v1::Run& run) {
  constexpr std::string_view kPunctuation = "._+-";
  if (!IsName(run.project(), kPunctuation)) {
    return "run.project: expected 1 to 128 characters of [A-Za-z0-9._+-], found " + Quote(run.project());
  }
  if (!IsName(run.run_id(), kPunctuation)) {
    return "run.runId: expected 1 to 128 characters of [A-Za-z0-9._+-], found " + Quote(run.run_id());
  }
  return "";
}

std::string FaultOf(const v1::Points& points) {
  if (!IsName(points.metric(), "._:/-")) {
    return "points.metric: expected 1 to 128 characters of [A-Za-z0-9._:/-], found " + Quote(points.metric());
  }
  if (points.step_size() != points.value_size()) {
    return "points: expected as many values as steps, found " + std::to_string(points.value_size()) + " values for " +
           std::to_string(points.step_size()) + " steps";
  }
  for (int i = 0; i < points.step_size(); ++i) {
    if (points.step(i) < 0 || points.step(i) > kLargestStep) {
      return "points.step[" + std::to_string(i) + "]: expected 0 to 2^53, found " + std::to_string(points.step(i));
    }
  }
  return "";
}

std::string FaultOf(const v1::RunFileLine& line) {
  switch (line.line_case()) {
    case v1::RunFileLine::kRun:
      return FaultOf(line.run());
    case v1::RunFileLine::kPoints:
      return FaultOf(line.points());
    case v1::RunFileLine::kRewind: {
      const int64_t from = line.rewind().from_step();
      if (from >= 0 && from <= kLargestStep) return "";
      return "rewind.fromStep: expected 0 to 2^53, found " + std::to_string(from);
    }
    case v1::RunFileLine::kEnd: {
      const v1::Run::State state = line.end().state();
      if (state == v1::Run::COMPLETED || state == v1::Run::FAILED || state == v1::Run::STOPPED) return "";
      return "end.state: expected \"COMPLETED\", \"FAILED\" or \"STOPPED\", found " +
             Quote(v1::Run::State_Name(state).empty() ? std::to_string(state) : v1::Run::State_Name(state));
    }
    case v1::RunFileLine::LINE_NOT_SET:
      break;
  }
  return "expected one of run, points, rewind, end";
}

// Sorted by step; of points at one step the last stays.
void SortByStep(v1::Points& points) {
  const auto& steps = points.step();
  if (std::adjacent_find(steps.begin(), steps.end(), std::greater_equal<>()) == steps.end()) return;
  std::vector<int> order(static_cast<size_t>(steps.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return points.step(a) < points.step(b); });
  v1::Points sorted;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 1 < order.size() && points.step(order[i]) == points.step(order[i + 1])) continue;
    sorted.add_step(points.step(order[i]));
    sorted.add_value(points.value(order[i]));
  }
  sorted.set_metric(points.metric());
  points = std::move(sorted);
}

// Gathers the lines of a run into segments.
class Gatherer {
 public:
  // False past kMaxPointsPerFile.
  bool Take(v1::RunFileLine line) {
    if (line.has_run()) run_.run = std::move(*line.mutable_run());
    if (line.has_end()) run_.end = line.end();
    if (line.has_rewind()) {
      CloseSegment();
      rewind_from_ = line.rewind().from_step();
    }
    if (!line.has_points()) return true;
    taken_ += static_cast<size_t>(line.points().step_size());
    v1::Points& column = open_[line.points().metric()];
    column.mutable_step()->MergeFrom(line.points().step());
    column.mutable_value()->MergeFrom(line.points().value());
    return taken_ <= kMaxPointsPerFile;
  }

  ReadRun Finish(absl::Status error) {
    CloseSegment();
    run_.error = std::move(error);
    return std::move(run_);
  }

 private:
  void CloseSegment() {
    RunSegment segment;
    segment.rewind_from = rewind_from_;
    for (auto& [metric, points] : open_) {
      points.set_metric(metric);
      SortByStep(points);
      run_.points += static_cast<size_t>(points.step_size());
      segment.metrics.push_back(std::move(points));
    }
    open_.clear();
    run_.segments.push_back(std::move(segment));
  }

  ReadRun run_;
  size_t taken_ = 0;
  std::optional<int64_t> rewind_from_;
  std::map<std::string, v1::Points> open_;
};

}  // namespace

RunFileReader::RunFileReader(std::istream& in, std::string name) : in_(in), name_(std::move(name)) {}

absl::Status RunFileReader::Fail(std::string_view what) {
  failed_ = absl::InvalidArgumentError(name_ + ":" + std::to_string(std::max<int64_t>(line_number_, 1)) + ": " +
                                       std::string(what));
  return failed_;
}

absl::StatusOr<bool> RunFileReader::ReadLine() {
  line_.clear();
  cut_off_ = false;
  std::array<char, 1 << 16> chunk;
  while (true) {
    in_.getline(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const auto taken = static_cast<size_t>(in_.gcount());
    const bool newline = !in_.eof() && !in_.fail();
    line_.append(chunk.data(), newline ? taken - 1 : taken);
    if (in_.bad()) {
      ++line_number_;
      return Fail("cannot be read any further (input/output error)");
    }
    const bool ended = in_.eof();
    if (line_.size() > kMaxLineBytes) {
      ++line_number_;
      return Fail("expected a line of at most kMaxLineBytes = " + std::to_string(kMaxLineBytes) +
                  " bytes, found a longer one; split the points over several lines");
    }
    if (newline || ended) {
      if (ended && line_.empty()) return false;
      ++line_number_;
      cut_off_ = ended;
      return true;
    }
    in_.clear();  // The chunk was full: the line goes on.
  }
}

absl::Status RunFileReader::CheckOrder(const v1::RunFileLine& line) {
  if (seen_end_) return Fail("expected nothing after \"end\", found another line");
  if (line.has_run() == seen_run_) {
    return Fail(seen_run_ ? "expected \"run\" on the first line only, found a second one"
                          : "expected \"run\" on the first line, found another kind of line");
  }
  seen_run_ = true;
  seen_end_ = line.has_end();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::RunFileLine>> RunFileReader::Next() {
  if (!failed_.ok()) return failed_;
  while (true) {
    const absl::StatusOr<bool> more = ReadLine();
    if (!more.ok()) return more.status();
    if (!*more) return std::nullopt;
    if (line_.find('\0') != std::string::npos) return Fail("expected JSON text, found a NUL byte");
    if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
    v1::RunFileLine line;
    if (const absl::Status status = ParseJsonLine(line_, line); !status.ok()) {
      const std::string what(status.message().data(), status.message().size());
      return Fail(cut_off_ ? what + " (the file ends in the middle of this line)" : what);
    }
    if (const std::string fault = FaultOf(line); !fault.empty()) return Fail(fault);
    if (absl::Status status = CheckOrder(line); !status.ok()) return status;
    return line;
  }
}

absl::StatusOr<ReadRun> ReadRunFrom(std::istream& in, const std::string& name) {
  RunFileReader reader(in, name);
  Gatherer gatherer;
  bool any = false;
  while (true) {
    absl::StatusOr<std::optional<v1::RunFileLine>> line = reader.Next();
    if (!line.ok()) {
      if (!any) return line.status();
      return gatherer.Finish(line.status());
    }
    if (!line->has_value()) break;
    any = true;
    if (!gatherer.Take(*std::move(*line))) {
      return gatherer.Finish(absl::ResourceExhaustedError(
          name + ":" + std::to_string(reader.line_number()) + ": expected at most kMaxPointsPerFile = " +
          std::to_string(kMaxPointsPerFile) + " points in a file, found more"));
    }
  }
  if (!any) return absl::InvalidArgumentError(name + ":1: expected \"run\" on the first line, found an empty file");
  return gatherer.Finish(absl::OkStatus());
}

absl::StatusOr<ReadRun> ReadRunFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(path + ": cannot be opened: " + std::strerror(errno));
  return ReadRunFrom(in, path);
}

v1::Points SurvivingPoints(const ReadRun& run, std::string_view metric) {
  v1::Points result;
  result.set_metric(std::string(metric));
  for (const RunSegment& segment : run.segments) {
    if (segment.rewind_from.has_value()) {
      const auto& steps = result.step();
      const int keep =
          static_cast<int>(std::lower_bound(steps.begin(), steps.end(), *segment.rewind_from) - steps.begin());
      result.mutable_step()->Truncate(keep);
      result.mutable_value()->Truncate(keep);
    }
    for (const v1::Points& points : segment.metrics) {
      if (points.metric() != metric) continue;
      result.mutable_step()->MergeFrom(points.step());
      result.mutable_value()->MergeFrom(points.value());
    }
    SortByStep(result);
  }
  return result;
}

absl::StatusOr<std::vector<std::string>> FindRunFiles(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return absl::NotFoundError(path + ": no such file or folder");
  if (!fs::is_directory(status)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".jsonl" && !it->is_directory(error)) files.push_back(it->path().string());
  }
  if (error) return absl::UnavailableError(path + ": cannot be listed: " + error.message());
  if (files.empty()) return absl::NotFoundError(path + ": holds no run file (*.jsonl)");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace curvecast
