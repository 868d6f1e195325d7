#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/schedule/lr_schedule.h"
#include "tests/bench/peers/prefix.h"

namespace curvecast::peers {

// A complete run as `curvecast backtest` counts them: it reached 97 % of its plan, and its end, the mean of the
// objective over the last 1 % of the plan, is a number (and above 0, since errors are relative).
struct FinishedRun {
  std::string project, run_id, family;
  double total = 0;
  std::optional<LrSchedule> schedule;
  std::vector<double> steps, values;
  double actual = 0;

  // What had arrived by fraction x total. Refers to this run's schedule.
  Prefix Until(double fraction) const;
};

// Nothing if the run in the file is not complete; an error if there is none.
absl::StatusOr<std::optional<FinishedRun>> ReadFinishedRun(const std::string& path);

struct RunFileChoice {
  std::string path;
  bool asked = false;  // To be forecast; the others are siblings only.
};
// The run files under the paths, sorted; of each folder at most `most` are asked, evenly spaced.
absl::StatusOr<std::vector<RunFileChoice>> ChooseRunFiles(const std::vector<std::string>& paths, size_t most);

}  // namespace curvecast::peers
