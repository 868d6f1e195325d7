#include "daemon/loop/loop_metrics.h"

namespace curvecast {
namespace {

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram& Seconds(prometheus::Registry& registry, const char* name, const char* help) {
  const prometheus::Histogram::BucketBoundaries bounds = {1e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3,
                                                          5e-3, 1e-2, 2.5e-2, 0.1,  0.5,  2.5};
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, bounds);
}

}  // namespace

LoopMetrics::LoopMetrics(prometheus::Registry& registry)
    : points(Counter(registry, "curvecast_points_total", "Points taken up.")),
      batches(Counter(registry, "curvecast_batches_total", "Batches taken up.")),
      duplicate_batches(Counter(registry, "curvecast_duplicate_batches_total",
                                "Batches that were journaled before and counted once.")),
      evicted_runs(Counter(registry, "curvecast_evicted_runs_total",
                           "Runs that were over and were let go of, past limits.max_finished_runs.")),
      rejected_batches(Counter(registry, "curvecast_rejected_total", "Opens and batches that the engine refused.")),
      rewinds(Counter(registry, "curvecast_rewinds_total", "Times that a job went back to a checkpoint.")),
      refused_connections(Counter(registry, "curvecast_refused_connections_total",
                                  "gRPC connections turned away, for the process may open no more files.")),
      fits(Counter(registry, "curvecast_fits_total", "Forecasts made.")),
      journal_failures(
          Counter(registry, "curvecast_journal_failures_total", "Commits that failed and were tried again.")),
      snapshots(Counter(registry, "curvecast_snapshots_total", "Snapshots of the state written beside the journal.")),
      snapshot_failures(Counter(registry, "curvecast_snapshot_failures_total", "Snapshots that could not be written.")),
      inbox_batches(prometheus::BuildGauge()
                        .Name("curvecast_inbox_batches")
                        .Help("Batches taken from the inbox at once, the newest time.")
                        .Register(registry)
                        .Add({})),
      replayed_events(prometheus::BuildGauge()
                          .Name("curvecast_replayed_events")
                          .Help("Events of the journal read at the start: all, or those behind the snapshot.")
                          .Register(registry)
                          .Add({})),
      commit_seconds(Seconds(registry, "curvecast_commit_duration_seconds", "Journal transaction to durable.")),
      fit_seconds(Seconds(registry, "curvecast_fit_duration_seconds", "One forecast.")),
      publish_seconds(Seconds(registry, "curvecast_publish_duration_seconds", "One board.")),
      snapshot_piece_seconds(Seconds(registry, "curvecast_snapshot_piece_duration_seconds",
                                     "One piece of a snapshot, for which the engine's thread stops.")),
      flags_raised(prometheus::BuildCounter()
                       .Name("curvecast_flags_raised_total")
                       .Help("Flags raised, by kind and by severity when raised.")
                       .Register(registry)) {
  for (int kind = 1; kind <= kFlagKinds; ++kind) {
    for (Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
      FlagsRaised(static_cast<FlagKind>(kind), severity);
    }
  }
}

prometheus::Counter& LoopMetrics::FlagsRaised(FlagKind kind, Severity severity) {
  return flags_raised.Add({{"kind", std::string(NameOf(kind))}, {"severity", std::string(NameOf(severity))}});
}

}  // namespace curvecast
