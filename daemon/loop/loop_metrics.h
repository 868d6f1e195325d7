#pragma once

#include "core/watch/flag.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace curvecast {

// What the loop counts about itself. Lives as long as the registry.
struct LoopMetrics {
  explicit LoopMetrics(prometheus::Registry& registry);

  // Every kind and severity is there from the start, at 0, so that a first flag is an increase.
  prometheus::Counter& FlagsRaised(FlagKind kind, Severity severity);

  prometheus::Counter& points;
  prometheus::Counter& batches;
  prometheus::Counter& duplicate_batches;
  prometheus::Counter& evicted_runs;
  prometheus::Counter& rejected_batches;
  prometheus::Counter& rewinds;
  prometheus::Counter& refused_connections;
  prometheus::Counter& fits;
  prometheus::Counter& journal_failures;
  prometheus::Counter& snapshots;
  prometheus::Counter& snapshot_failures;
  prometheus::Gauge& inbox_batches;
  prometheus::Gauge& replayed_events;
  prometheus::Histogram& commit_seconds;
  prometheus::Histogram& fit_seconds;
  prometheus::Histogram& publish_seconds;
  prometheus::Histogram& snapshot_piece_seconds;
  prometheus::Family<prometheus::Counter>& flags_raised;
};

}  // namespace curvecast
