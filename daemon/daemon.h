#pragma once

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "core/engine/event.h"
#include "curvecast/v1/config.pb.h"
#include "daemon/http/http_server.h"
#include "daemon/loop/board_holder.h"
#include "daemon/loop/engine_thread.h"
#include "daemon/loop/inbox.h"
#include "daemon/loop/loop_metrics.h"
#include "daemon/loop/retention.h"
#include "daemon/loop/retention_thread.h"
#include "daemon/os/command_socket.h"
#include "daemon/os/signals.h"
#include "daemon/os/system_clock.h"
#include "daemon/query/answers.h"
#include "daemon/rpc/server.h"
#include "daemon/store/snapshot_file.h"
#include "daemon/store/sqlite_journal.h"
#include "prometheus/registry.h"

namespace curvecast {

// What the watch is told of the configuration.
WatchOptions WatchOptionsOf(const v1::Config& config);

// All parts of the daemon, started in order and stopped in reverse.
class Daemon {
 public:
  // Opens the store and both ports; the journal is replayed behind them. `signals` is woken if the daemon cannot go on;
  // Failure then says why.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const v1::Config& config, StopSignals& signals);

  // Takes no more from the streams, keeps and acknowledges what they have handed in, and ends.
  void Stop();
  absl::Status Failure() const;

  int grpc_port() const { return rpc_->port(); }
  int http_port() const { return http_->port(); }

 private:
  Daemon(const v1::Config& config, StopSignals& signals, std::unique_ptr<SqliteJournal> journal);

  // `backup DIR` or `export DIR`, from the store's folder.
  absl::Status OnCommand(const std::string& command);
  absl::Status OnExport(const std::string& what);
  void OnJournal(const absl::Status& status);
  void OnRefused(const RunKey& key, const absl::Status& status);
  void OnRefusedConnection(int64_t files);
  void OnFatal(const absl::Status& status);
  void OnSnapshot(const absl::Status& status);
  static void OnRetentionRound(const Retention::Round& round);
  static void OnOverLimit(bool over, int64_t limit);

  StopSignals& signals_;
  SystemClock clock_;
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  LoopMetrics metrics_{*registry_};
  RetentionMetrics retention_metrics_{*registry_};
  std::unique_ptr<SqliteJournal> journal_;
  SnapshotFile snapshots_;
  Inbox inbox_;
  BoardHolder boards_;
  EngineThread engine_;
  Retention retention_;
  Answers answers_{boards_, inbox_, engine_.fitters(), clock_};
  std::unique_ptr<RpcServer> rpc_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<CommandSocket> commands_;
  std::unique_ptr<RetentionThread> retaining_;  // Last of those that use the journal: it ends first.
  std::atomic<bool> stopping_{false};
  uint64_t ready_listener_ = 0;
  int64_t refused_connection_due_ = 0;  // Of the listener's thread.
  mutable std::mutex failure_mutex_;
  absl::Status failure_;
};

}  // namespace curvecast
