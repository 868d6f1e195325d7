#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "curvecast/v1/query.pb.h"

// What the daemon says of runs, as text. Pure: the time comes in.
namespace curvecast {

struct ViewStyle {
  size_t width = 0;     // Of the terminal; 0: none, as wide as it takes.
  size_t max_rows = 0;  // Of a table; 0: all.
  bool ascii = false;
  int64_t now_unix_seconds = 0;
};

// One row a run.
std::string RunsText(const std::vector<v1::RunSummary>& runs, const ViewStyle& style);

// One run in full: facts, forecast, what was forecast on the way, the curve.
std::string RunText(const v1::GetRunResponse& run, const v1::GetCurveResponse& curve, const ViewStyle& style);

// Parts of the above. "running"; the schedule in words; what is said of the end, in lines; how far the run has come;
// the curve with the forecast's path and its band, drawn up to `end`: empty if there is nothing to draw.
std::string StateText(v1::Run::State state);
std::string ScheduleText(const v1::RunSummary& run);
std::string ForecastText(const v1::RunSummary& run);
std::string ProgressText(const v1::RunSummary& run);
std::string CurveText(const v1::GetCurveResponse& curve, const v1::Forecast& forecast, double end,
                      const ViewStyle& style);

// "It leans on 12 finished runs of the project, 3 of its family.\n"; empty if it leans on none.
std::string LeansText(const v1::Forecast& forecast);

// One line that says where a run is now.
std::string NewsText(const v1::RunSummary& run);

}  // namespace curvecast
