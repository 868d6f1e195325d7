#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "curvecast/v1/run.pb.h"

// Run files: one training run as JSON Lines of v1::RunFileLine. See README.md.
namespace curvecast {

inline constexpr size_t kMaxLineBytes = size_t{16} << 20;     // A longer line is refused before it fills memory.
inline constexpr size_t kMaxPointsPerFile = size_t{1} << 26;  // What ReadRunFile holds of one file.

// Reads a run file line by line. What it hands out keeps the rules of the file: the run first and once, columns of one
// length, steps in [0, 2^53], names of the form that run.proto asks for, nothing after the end. The first line that
// breaks one is an error "name:line: what was expected, what stands there", and so is every later call. One thread;
// `in` must outlive it.
class RunFileReader {
 public:
  RunFileReader(std::istream& in, std::string name);

  // The next line; nothing at the end of the file. Blank lines are skipped. Blocks as `in` does, so it can follow a
  // pipe.
  absl::StatusOr<std::optional<v1::RunFileLine>> Next();

  // Of the line that Next handed out last, from 1.
  int64_t line_number() const { return line_number_; }

 private:
  absl::StatusOr<bool> ReadLine();  // Into line_; false at the end of the file.
  absl::Status CheckOrder(const v1::RunFileLine& line);
  absl::Status Fail(std::string_view what);

  std::istream& in_;
  std::string name_;
  std::string line_;
  int64_t line_number_ = 0;
  bool cut_off_ = false;  // line_ is the last one and has no newline.
  bool seen_run_ = false;
  bool seen_end_ = false;
  absl::Status failed_;
};

// The points between two rewinds.
struct RunSegment {
  // The rewind that opens it: what lies at this step or later in the segments before is superseded. Absent in the
  // first.
  std::optional<int64_t> rewind_from;
  // One entry a metric, by name; steps strictly increasing: of points at one step the last in the file is kept.
  std::vector<v1::Points> metrics;
};

struct ReadRun {
  v1::Run run;
  std::vector<RunSegment> segments;  // At least one.
  std::optional<v1::End> end;
  size_t points = 0;  // In all segments.
  // Why reading stopped before the end of the file; what came before is above. OK if all of it was read.
  absl::Status error;
};

// Reads a whole file. An error only if there is not even a run; later faults are in ReadRun::error.
absl::StatusOr<ReadRun> ReadRunFile(const std::string& path);
absl::StatusOr<ReadRun> ReadRunFrom(std::istream& in, const std::string& name);

// What is left of a metric after all rewinds, in order of step. Empty if the run has no such metric.
v1::Points SurvivingPoints(const ReadRun& run, std::string_view metric);

// The file itself, or the *.jsonl files below the folder, sorted. NOT_FOUND if there are none.
absl::StatusOr<std::vector<std::string>> FindRunFiles(const std::string& path);

}  // namespace curvecast
