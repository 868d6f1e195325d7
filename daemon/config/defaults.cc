#include "daemon/config/config.h"

namespace curvecast {

v1::Config DefaultConfig() {
  v1::Config config;
  config.mutable_listen()->set_grpc("127.0.0.1:7461");
  config.mutable_listen()->set_http("127.0.0.1:7462");
  v1::Store& store = *config.mutable_store();
  store.set_directory("./curvecast-data");
  store.set_snapshot_after_events(100'000);
  store.set_snapshot_after_points(1'000'000);
  v1::Limits& limits = *config.mutable_limits();
  limits.set_max_runs(20000);
  limits.set_max_metrics_per_run(64);
  limits.set_max_points_per_batch(16384);
  limits.set_max_inbox_batches(4096);
  limits.set_max_streams(4096);
  limits.set_max_message_bytes(1048576);
  limits.set_max_grpc_memory_bytes(268435456);
  limits.set_max_exported_runs(10000);
  limits.set_max_finished_runs(100000);
  v1::Forecasting& forecasting = *config.mutable_forecasting();
  forecasting.set_threads(1);
  forecasting.set_refit_progress(0.0025);
  forecasting.set_refit_interval_ms(1000);
  forecasting.set_publish_interval_ms(250);
  forecasting.set_exported_after_end_ms(900000);
  v1::Watch& watch = *config.mutable_watch();
  watch.set_false_alarms_per_1000_run_days(1);
  watch.set_mean_points_between_false_alarms(1e6);
  watch.set_silent_after_seconds(120);
  config.mutable_retention()->set_raw_points_days(0);
  config.mutable_retention()->set_max_journal_bytes(0);
  config.mutable_retention()->set_grace_hours(24);
  config.mutable_log()->set_level("info");
  return config;
}

}  // namespace curvecast
