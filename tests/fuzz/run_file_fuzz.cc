// Any bytes as a run file: lines that keep the rules, then the end or an error that names a line.

#include <cstdint>
#include <sstream>
#include <string>

#include "client/import/run_file.h"
#include "core/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  const absl::StatusOr<curvecast::ReadRun> run = curvecast::ReadRunFrom(in, "fuzz");
  if (!run.ok()) {
    CURVECAST_CHECK(std::string(run.status().message()).rfind("fuzz", 0) == 0);
    return 0;
  }
  CURVECAST_CHECK(!run->segments.empty());
  for (const curvecast::RunSegment& segment : run->segments) {
    for (const curvecast::v1::Points& points : segment.metrics) {
      CURVECAST_CHECK(points.step_size() == points.value_size());
      for (int i = 1; i < points.step_size(); ++i) CURVECAST_CHECK(points.step(i - 1) < points.step(i));
    }
  }
  return 0;
}
