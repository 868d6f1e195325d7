#pragma once

#include <iosfwd>
#include <vector>

#include "core/engine/run_spec.h"
#include "core/law/forecast.h"

namespace curvecast {

// What was forecast of one run, and what came.
struct Backtested {
  struct Line {
    double fraction = 0;
    Forecast forecast;
    int64_t points = 0;  // Seen by then.
  };
  RunSpec spec;
  double actual = 0;
  std::vector<Line> lines;
};

// One JSON object a line.
void PrintJson(const Backtested& run, std::ostream& out);
// A row for each project and fraction, of the runs that had logged kFewestPoints by then.
inline constexpr int64_t kFewestPoints = 4;
void PrintTable(const std::vector<Backtested>& runs, std::ostream& out);

}  // namespace curvecast
