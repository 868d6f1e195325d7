#include "daemon/daemon.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/os/listener.h"
#include "daemon/store_commands.h"

namespace curvecast {
namespace {

EngineThread::Options EngineOptions(const v1::Config& config) {
  EngineThread::Options options;
  options.limits.max_runs = static_cast<size_t>(config.limits().max_runs());
  options.limits.max_finished_runs = static_cast<size_t>(config.limits().max_finished_runs());
  options.limits.max_metrics_per_run = static_cast<size_t>(config.limits().max_metrics_per_run());
  options.watch = WatchOptionsOf(config);
  options.fitting.refit_progress = config.forecasting().refit_progress();
  options.fitting.refit_interval_micros = config.forecasting().refit_interval_ms() * 1000;
  options.fit_threads = static_cast<size_t>(config.forecasting().threads());
  options.snapshots.after_events = config.store().snapshot_after_events();
  options.snapshots.after_points = config.store().snapshot_after_points();
  options.publish_interval = std::chrono::milliseconds(config.forecasting().publish_interval_ms());
  return options;
}

RpcServer::Options RpcOptions(const v1::Config& config) {
  return {.address = config.listen().grpc(),
          .tls = {.certificate = config.listen().tls_certificate(),
                  .key = config.listen().tls_key(),
                  .client_ca = config.listen().tls_client_ca()},
          .max_points_per_batch = config.limits().max_points_per_batch(),
          .max_streams = config.limits().max_streams(),
          .max_message_bytes = config.limits().max_message_bytes(),
          .max_memory_bytes = config.limits().max_grpc_memory_bytes()};
}

HttpServer::Options HttpOptions(const v1::Config& config) {
  HttpServer::Options options;
  options.address = config.listen().http();
  options.exported.max_exported_runs = config.limits().max_exported_runs();
  options.exported.exported_after_end_micros = config.forecasting().exported_after_end_ms() * 1000;
  return options;
}

Inbox::Limits InboxLimits(const v1::Config& config) {
  Inbox::Limits limits;
  limits.max_batches = static_cast<size_t>(config.limits().max_inbox_batches());
  return limits;
}

constexpr int64_t kRefusedConnectionIntervalMicros = 10'000'000;  // Between two that the operator is told of.

Retention::Options RetentionOptions(const v1::Config& config) {
  Retention::Options options;
  options.raw_points_micros = static_cast<int64_t>(config.retention().raw_points_days() * 86'400e6);
  options.max_journal_bytes = config.retention().max_journal_bytes();
  options.grace_micros = static_cast<int64_t>(config.retention().grace_hours() * 3'600e6);
  return options;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

WatchOptions WatchOptionsOf(const v1::Config& config) {
  return {.false_alarms_per_1000_run_days = config.watch().false_alarms_per_1000_run_days(),
          .mean_points_between_false_alarms = config.watch().mean_points_between_false_alarms(),
          .silent_after_seconds = config.watch().silent_after_seconds()};
}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const v1::Config& config, StopSignals& signals) {
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::Open(config.store().directory());
  if (!journal.ok()) return journal.status();
  if (const std::optional<int64_t> before = (*journal)->migrated_from()) {
    spdlog::info("the store was of format {} and is now of format {}, which older versions of curvecastd cannot read",
                 *before, (*journal)->version());
  }
  std::unique_ptr<Daemon> daemon(new Daemon(config, signals, *std::move(journal)));
  Daemon* d = daemon.get();

  absl::StatusOr<std::unique_ptr<RpcServer>> rpc = RpcServer::Start(
      RpcOptions(config),
      {d->inbox_, d->clock_, d->answers_, d->boards_, [d](int64_t files) { d->OnRefusedConnection(files); }});
  if (!rpc.ok()) return rpc.status();
  d->rpc_ = *std::move(rpc);
  absl::StatusOr<std::unique_ptr<HttpServer>> http =
      HttpServer::Start(HttpOptions(config), {d->answers_, d->clock_, d->registry_});
  if (!http.ok()) return http.status();
  d->http_ = *std::move(http);

  d->ready_listener_ = d->boards_.Subscribe([d, announced = false](const std::shared_ptr<const Board>& board) mutable {
    if (std::exchange(announced, true)) return;
    d->rpc_->SetServing(true);
    spdlog::info("ready with {} runs", board->runs.size());
  });
  absl::StatusOr<std::unique_ptr<CommandSocket>> commands = CommandSocket::Listen(
      config.store().directory(), [d](const std::string& command) { return d->OnCommand(command); });
  if (commands.ok()) {
    d->commands_ = *std::move(commands);
  } else {  // Training goes on without.
    spdlog::warn("no backup can be asked for while the daemon runs: {}", Text(commands.status()));
  }
  d->engine_.Start();
  d->retaining_ = std::make_unique<RetentionThread>(RetentionThread::Parts{
      d->retention_, d->boards_, d->clock_, [](const Retention::Round& round) { OnRetentionRound(round); },
      [limit = config.retention().max_journal_bytes()](bool over) { OnOverLimit(over, limit); },
      [](const absl::Status& status) { spdlog::error("nothing was compacted: {}", Text(status)); }});
  return daemon;
}

Daemon::Daemon(const v1::Config& config, StopSignals& signals, std::unique_ptr<SqliteJournal> journal)
    : signals_(signals),
      journal_(std::move(journal)),
      snapshots_(config.store().directory()),
      inbox_(InboxLimits(config)),
      engine_(EngineOptions(config),
              {*journal_, clock_, inbox_, boards_, metrics_, [this](const absl::Status& status) { OnJournal(status); },
               [this](const RunKey& key, const absl::Status& status) { OnRefused(key, status); },
               [this](const absl::Status& status) { OnFatal(status); }, &snapshots_,
               [this](const absl::Status& status) { OnSnapshot(status); },
               [](double seconds) {
                 spdlog::warn("the clock was set by {:+.1f} s, or the machine slept: silence counts from now", seconds);
               },
               [this](const RunKey& key, int64_t ended_at) { retention_.Evicted(key, ended_at); }},
              Prior::Shipped()),
      retention_(RetentionOptions(config), *journal_, clock_, retention_metrics_, Prior::Shipped()) {}

void Daemon::Stop() {
  stopping_ = true;
  if (retaining_ != nullptr) retaining_->Stop();
  journal_->CancelBackUps();
  commands_.reset();
  rpc_->Drain();
  boards_.Unsubscribe(ready_listener_);
  engine_.Stop();
  rpc_->Shutdown();
  http_.reset();
}

absl::Status Daemon::Failure() const {
  std::lock_guard lock(failure_mutex_);
  return failure_;
}

absl::Status Daemon::OnCommand(const std::string& command) {
  constexpr std::string_view kExport = "export ";
  if (std::string_view(command).substr(0, kExport.size()) == kExport) return OnExport(command.substr(kExport.size()));
  std::string_view directory = command;
  constexpr std::string_view kBackup = "backup ";
  if (directory.substr(0, kBackup.size()) != kBackup) {
    return absl::UnimplementedError(absl::StrCat("no such command: ", command.substr(0, 80)));
  }
  directory.remove_prefix(kBackup.size());
  const absl::Status status = journal_->BackUp(std::string(directory));
  if (status.ok()) {
    spdlog::info("backed up into {}", directory);
  } else {
    spdlog::error("no backup: {}", Text(status));
  }
  return status;
}

absl::Status Daemon::OnExport(const std::string& what) {
  const absl::Status status = ExportOnCommand(what, *journal_, [this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // Whoever appends gets at the journal.
    return !stopping_;
  });
  if (status.ok()) {
    spdlog::info("exported into {}", what.substr(0, what.find('\t')));
  } else {
    spdlog::error("no export: {}", Text(status));
  }
  return status;
}

void Daemon::OnRetentionRound(const Retention::Round& round) {
  spdlog::info("of {} runs that are over the curve is kept from now on, and {} raw points were dropped{}",
               round.compacted, round.points, round.more ? "; more are due" : "");
}

void Daemon::OnOverLimit(bool over, int64_t limit) {
  if (over) {
    spdlog::warn(
        "the journal is larger than retention.max_journal_bytes, {}, and holds no raw points that may go; nothing is "
        "dropped: raise it, or make room on the disk",
        limit);
  } else {
    spdlog::info("the journal is within retention.max_journal_bytes again");
  }
}

void Daemon::OnJournal(const absl::Status& status) {
  if (status.ok()) {
    spdlog::info("the journal keeps transactions again");
  } else {
    spdlog::error("the journal cannot keep a transaction and tries on; nothing is lost, jobs wait: {}", Text(status));
  }
}

void Daemon::OnRefused(const RunKey& key, const absl::Status& status) {
  spdlog::warn("refused, of run {}/{}: {} ({} refusals since the start)", key.project, key.run_id, Text(status),
               metrics_.rejected_batches.Value());
}

void Daemon::OnRefusedConnection(int64_t files) {
  metrics_.refused_connections.Increment();
  const int64_t now = clock_.MonotonicMicros();
  if (now < refused_connection_due_) return;
  refused_connection_due_ = now + kRefusedConnectionIntervalMicros;
  spdlog::error(
      "connections are turned away: all but {} of the {} files that the daemon may open are in use; close some, or "
      "raise "
      "the limit (ulimit -n, LimitNOFILE=); {} turned away since the start",
      Listener::kSpareFiles, files, metrics_.refused_connections.Value());
}

void Daemon::OnSnapshot(const absl::Status& status) { spdlog::warn("{}", Text(status)); }

void Daemon::OnFatal(const absl::Status& status) {
  {
    std::lock_guard lock(failure_mutex_);
    failure_ = status;
  }
  signals_.Wake();
}

}  // namespace curvecast
