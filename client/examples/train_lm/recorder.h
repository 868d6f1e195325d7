#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cpp/reporter.h"
#include "client/examples/train_lm/options.h"
#include "curvecast/v1/run.pb.h"

namespace curvecast::train_lm {

// Where the points of a run go: to the daemon, to a run file, to both or to neither.
class Recorder {
 public:
  // `resumed_from`: 0 for a new run. A resumed run is appended to its run file, after a line that says how far it went
  // back.
  static absl::StatusOr<Recorder> Open(const Options& options, const ReportedRun& run, int64_t resumed_from);
  Recorder(Recorder&&) noexcept;
  ~Recorder();

  void Log(int64_t step, std::string_view metric, double value);
  // Writes out what the run file still lacks.
  void Flush();
  // Waits a while until the daemon has everything; says on stderr if it has not.
  void Finish();
  Reporter::Stats stats() const;

 private:
  Recorder();
  void Write(const v1::RunFileLine& line);

  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<std::ostream> file_;
  std::map<std::string, v1::Points, std::less<>> unwritten_;
  int unwritten_points_ = 0;
};

}  // namespace curvecast::train_lm
