#pragma once

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace curvecast {

// What retention counts. Lives as long as the registry.
struct RetentionMetrics {
  explicit RetentionMetrics(prometheus::Registry& registry);

  prometheus::Gauge& journal_events;
  prometheus::Gauge& journal_used_bytes;
  prometheus::Gauge& journal_file_bytes;
  prometheus::Gauge& over_limit;  // 1: larger than retention.max_journal_bytes, and nothing is left that may go.
  prometheus::Counter& compacted_runs;
  prometheus::Counter& compacted_points;
  prometheus::Counter& runs_left;  // Could not be compacted.
  prometheus::Histogram& replace_seconds;
};

}  // namespace curvecast
