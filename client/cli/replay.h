#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "client/import/run_file.h"
#include "curvecast/v1/ingest.pb.h"

// A run file as a writer would have sent it. Pure.
namespace curvecast {

// Where a point stands in its segment.
struct PointPlace {
  int64_t step = 0;
  size_t metric = 0;  // Index into RunSegment::metrics.
  int index = 0;      // Into its columns.
};
std::vector<PointPlace> InOrderOfStep(const RunSegment& segment);

// One incarnation: what to open, and its batches, numbered from 1.
struct ReplayLife {
  std::optional<int64_t> resume_step;
  std::vector<v1::Batch> batches;
};

// Points in order of step; the end, if the file has one, with the last batch. Rewinds with nothing between them are
// one.
std::vector<ReplayLife> ToReplay(const ReadRun& run, size_t max_points_per_batch);

}  // namespace curvecast
