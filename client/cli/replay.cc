#include "client/cli/replay.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace curvecast {
namespace {

std::vector<v1::Batch> ToBatches(const RunSegment& segment, size_t max_points) {
  const std::vector<PointPlace> order = InOrderOfStep(segment);
  std::vector<v1::Batch> batches;
  std::vector<v1::Points*> columns;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i % max_points == 0) {
      batches.emplace_back().set_sequence(batches.size());
      columns.assign(segment.metrics.size(), nullptr);
    }
    const v1::Points& source = segment.metrics[order[i].metric];
    v1::Points*& column = columns[order[i].metric];
    if (column == nullptr) {
      column = batches.back().add_points();
      column->set_metric(source.metric());
    }
    column->add_step(order[i].step);
    column->add_value(source.value(order[i].index));
  }
  return batches;
}

}  // namespace

std::vector<PointPlace> InOrderOfStep(const RunSegment& segment) {
  std::vector<PointPlace> order;
  for (size_t m = 0; m < segment.metrics.size(); ++m) {
    const v1::Points& points = segment.metrics[m];
    for (int i = 0; i < points.step_size(); ++i) order.push_back({points.step(i), m, i});
  }
  const auto before = [](const PointPlace& a, const PointPlace& b) {
    return std::tie(a.step, a.metric) < std::tie(b.step, b.metric);
  };
  if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);
  return order;
}

std::vector<ReplayLife> ToReplay(const ReadRun& run, size_t max_points_per_batch) {
  std::vector<ReplayLife> lives;
  for (const RunSegment& segment : run.segments) {
    const bool empty_before = !lives.empty() && lives.back().batches.empty() && lives.back().resume_step.has_value();
    if (empty_before) {
      lives.back().resume_step = std::min(*lives.back().resume_step, segment.rewind_from.value_or(0));
      lives.back().batches = ToBatches(segment, max_points_per_batch);
    } else {
      lives.push_back({segment.rewind_from, ToBatches(segment, max_points_per_batch)});
    }
  }
  if (run.end.has_value()) {
    std::vector<v1::Batch>& batches = lives.back().batches;
    if (batches.empty()) batches.emplace_back().set_sequence(1);
    *batches.back().mutable_end() = *run.end;
  }
  return lives;
}

}  // namespace curvecast
