#include "daemon/loop/retention_metrics.h"

namespace curvecast {
namespace {

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

RetentionMetrics::RetentionMetrics(prometheus::Registry& registry)
    : journal_events(Gauge(registry, "curvecast_journal_events", "Events in the journal.")),
      journal_used_bytes(Gauge(registry, "curvecast_journal_used_bytes", "What the journal's events take.")),
      journal_file_bytes(
          Gauge(registry, "curvecast_journal_file_bytes", "The journal's file, free pages for new events included.")),
      over_limit(Gauge(registry, "curvecast_journal_over_limit",
                       "1: the journal is larger than retention.max_journal_bytes, and nothing in it may go yet.")),
      compacted_runs(Counter(registry, "curvecast_compacted_runs_total",
                             "Runs of which the curve was kept and the raw points were dropped.")),
      compacted_points(Counter(registry, "curvecast_compacted_points_total", "Raw points that were dropped.")),
      runs_left(Counter(registry, "curvecast_compaction_failures_total", "Runs that could not be compacted.")),
      replace_seconds(prometheus::BuildHistogram()
                          .Name("curvecast_compaction_duration_seconds")
                          .Help("One transaction of a compaction, during which no batch is kept.")
                          .Register(registry)
                          .Add({}, prometheus::Histogram::BucketBoundaries{1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
                                                                           0.1, 0.5, 2.5})) {}

}  // namespace curvecast
