// How many points a second the daemon makes durable, how soon it acknowledges them, and what that costs it; then
// whether every point that it acknowledged is there after a SIGKILL. README.md says how to read it.
//   build/release/bin/load_ingest --streams 64 --batch 128 --seconds 10

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "client/cpp/endpoint.h"
#include "curvecast/v1/query.grpc.pb.h"
#include "fmt/format.h"
#include "tests/bench/load/certificate.h"
#include "tests/bench/load/load_stream.h"
#include "tests/bench/load/own_daemon.h"

namespace curvecast {
namespace {

using Clock = LoadStream::Clock;
constexpr std::chrono::seconds kPatience{60};

struct Flags {
  int streams = 64;
  int runs = 0;  // 0: one a stream.
  int batch = 128;
  int metrics = 1;
  double seconds = 10;
  double rate = 0;  // Points a second in all; 0: as fast as it goes.
  size_t window = 32;
  bool tls = false;
  std::string address;
};

void Describe(CLI::App& app, Flags& flags) {
  app.add_option("--streams", flags.streams, "Push streams, each on a connection of its own")
      ->check(CLI::Range(1, 4000));
  app.add_option("--runs", flags.runs, "Runs in all, spread over the streams; default one a stream")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--batch", flags.batch, "Points a batch")->check(CLI::Range(1, 16384));
  app.add_option("--metrics", flags.metrics,
                 "Metrics that share a batch's points, the objective and others; divides --batch")
      ->check(CLI::Range(1, 64));
  app.add_option("--seconds", flags.seconds, "How long")->check(CLI::Range(0.1, 1e6));
  app.add_option("--rate", flags.rate, "Points a second in all, sent on a clock; default as fast as it goes")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--window", flags.window, "Batches of a stream that may be unacknowledged")
      ->check(CLI::Range(1, 65536));
  app.add_option("--address", flags.address,
                 "A daemon that runs already (it is not killed), host:port or tls://host:port; default one of its own");
  app.add_flag("--tls", flags.tls, "Over TLS, with a certificate made for it by openssl")->excludes("--address");
}

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "load_ingest: {}\n", why);
  std::exit(1);  // Without the destructors of streams that gRPC still calls.
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  const absl::StatusOr<Endpoint> endpoint = ToEndpoint(address);
  if (!endpoint.ok()) Die(std::string(endpoint.status().message()));
  return endpoint->Connect({});
}

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::vector<std::unique_ptr<LoadStream>> OpenStreams(const Flags& flags, const std::string& address) {
  // Another life of the load on the same daemon must not meet the runs of the one before.
  const int64_t stamp = std::chrono::system_clock::now().time_since_epoch().count();
  const absl::StatusOr<Endpoint> endpoint = ToEndpoint(address);
  if (!endpoint.ok()) Die(std::string(endpoint.status().message()));
  std::vector<std::unique_ptr<LoadStream>> streams;
  for (int s = 0; s < flags.streams; ++s) {
    LoadStream::Options options;
    options.endpoint = *endpoint;
    options.points_per_batch = flags.batch;
    options.metrics = flags.metrics;
    options.window = flags.window;
    options.paced = flags.rate > 0;
    for (int run = s; run < std::max(flags.runs, flags.streams); run += flags.streams) {
      options.run_ids.push_back(fmt::format("{}.{}", stamp, run));
    }
    streams.push_back(std::make_unique<LoadStream>(std::move(options)));
    streams.back()->Start();
  }
  for (const auto& stream : streams) {
    if (!stream->WaitUntilOpen()) Die("a stream broke before its runs were open " + stream->refusal());
  }
  return streams;
}

// Offers batches to the streams in turn, on a clock that does not wait for them. It wakes once a millisecond, since
// each waking is taken from the daemon's processors; a batch's time counts from when it was due.
void Pace(const Flags& flags, const std::vector<std::unique_ptr<LoadStream>>& streams) {
  const Clock::time_point start = Clock::now();
  const double batches_a_second = flags.rate / flags.batch;
  for (int64_t n = 0; static_cast<double>(n) < batches_a_second * flags.seconds; ++n) {
    const auto due = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(n) / batches_a_second));
    if (due > Clock::now()) std::this_thread::sleep_until(due + std::chrono::milliseconds(1));
    streams[static_cast<size_t>(n) % streams.size()]->Offer(due);
  }
}

void PrintTimes(const std::vector<std::unique_ptr<LoadStream>>& streams) {
  std::vector<uint32_t> all;
  for (const auto& stream : streams) {
    all.insert(all.end(), stream->acknowledged_after().begin(), stream->acknowledged_after().end());
  }
  if (all.empty()) Die("nothing was acknowledged");
  std::sort(all.begin(), all.end());
  const auto at = [&](double share) {
    return static_cast<double>(all[static_cast<size_t>(share * static_cast<double>(all.size() - 1))]) * 1e-3;
  };
  fmt::print("acknowledged after: p50 {:.1f} ms, p99 {:.1f} ms, p99.9 {:.1f} ms\n", at(.5), at(.99), at(.999));
}

int64_t HeldPoints(v1::QueryService::Stub& stub, const std::string& run_id) {
  grpc::ClientContext context;
  v1::GetRunRequest request;
  v1::GetRunResponse run;
  request.set_project("load");
  request.set_run_id(run_id);
  const grpc::Status status = stub.GetRun(&context, request, &run);
  if (!status.ok()) Die(fmt::format("run {}: {}", run_id, status.error_message()));
  int64_t points = 0;
  for (const v1::MetricSummary& metric : run.metrics()) points += metric.points();
  return points;
}

// Each run holds at least what was acknowledged of it, and at most what was sent.
void Verify(const Flags& flags, const std::string& address, const std::vector<std::unique_ptr<LoadStream>>& streams) {
  const auto stub = v1::QueryService::NewStub(Connect(address));
  int64_t acknowledged = 0, held = 0;
  for (const auto& stream : streams) {
    for (const LoadStream::SentRun& run : stream->runs()) {
      const int64_t least = static_cast<int64_t>(run.acknowledged) * flags.batch;
      const int64_t most = static_cast<int64_t>(run.sent) * flags.batch;
      const int64_t found = HeldPoints(*stub, run.run_id);
      if (found < least || found > most) {
        Die(fmt::format("run {}: {} points acknowledged, {} sent, {} found", run.run_id, least, most, found));
      }
      acknowledged += least;
      held += found;
    }
  }
  fmt::print("every acknowledged point is there: {} acknowledged, {} found\n", acknowledged, held);
}

// Until the journal is replayed.
void WaitUntilReady(const std::string& address) {
  const auto stub = v1::QueryService::NewStub(Connect(address));
  const Clock::time_point deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    v1::ListRunsRequest request;
    request.set_page_size(1);
    v1::ListRunsResponse response;
    if (stub->ListRuns(&context, request, &response).ok()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Die("the daemon does not become ready");
}

void Measure(const Flags& flags, const std::string& address, OwnDaemon* daemon) {
  const std::string scheme = flags.tls ? "tls://" : "";
  WaitUntilReady(address);
  const OwnDaemon::Usage idle = daemon == nullptr ? OwnDaemon::Usage{} : daemon->usage();
  auto streams = OpenStreams(flags, address);
  const OwnDaemon::Usage before = daemon == nullptr ? OwnDaemon::Usage{} : daemon->usage();
  const Clock::time_point start = Clock::now();
  for (const auto& stream : streams) stream->Go();
  if (flags.rate > 0) {
    Pace(flags, streams);
  } else {
    std::this_thread::sleep_for(std::chrono::duration<double>(flags.seconds));
  }
  uint64_t batches = 0;
  for (const auto& stream : streams) batches += stream->acknowledged_batches();
  const double seconds = Seconds(Clock::now() - start);
  const OwnDaemon::Usage after = daemon == nullptr ? OwnDaemon::Usage{} : daemon->usage();
  for (const auto& stream : streams) stream->Stop();
  for (const auto& stream : streams) {
    const grpc::Status status = stream->WaitUntilDone(kPatience);
    if (!status.ok()) Die(stream->refusal().empty() ? status.error_message() : stream->refusal());
  }

  const double points = static_cast<double>(batches) * flags.batch;
  const double runs = std::max(flags.runs, flags.streams);
  fmt::print("{:.0f} points/s durable\n", points / seconds);
  PrintTimes(streams);
  if (daemon != nullptr) {
    const double cpu = after.cpu_seconds - before.cpu_seconds;
    fmt::print(
        "server: {:.2f} us CPU a point, {:.2f} cores; {:.1f} MiB at most, {:.1f} KiB a run over {:.1f} MiB idle\n",
        cpu / points * 1e6, cpu / seconds, static_cast<double>(after.most_resident_bytes) / 1048576,
        static_cast<double>(after.resident_bytes - idle.resident_bytes) / 1024 / runs,
        static_cast<double>(idle.resident_bytes) / 1048576);
    daemon->Kill();
    const Clock::time_point again = Clock::now();
    if (absl::Status status = daemon->Start(); !status.ok()) Die(status.ToString());
    WaitUntilReady(scheme + daemon->address());
    fmt::print("killed, started again and ready after {:.2f} s\n", Seconds(Clock::now() - again));
  }
  Verify(flags, daemon == nullptr ? address : scheme + daemon->address(), streams);
}

int Main(const Flags& flags) {
  if (flags.batch % flags.metrics != 0) Die("--metrics must divide --batch");
  setenv("GRPC_VERBOSITY", "NONE", 0);
  if (!flags.address.empty()) {
    Measure(flags, flags.address, nullptr);
    return 0;
  }
  // On the disk of the working directory, since the folder for temporary files may be in memory.
  std::string folder = std::filesystem::current_path() / "load_ingest_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) Die(folder + ": cannot be made");
  std::vector<std::string> settings;
  if (flags.tls) {
    const absl::StatusOr<Certificate> certificate = MakeCertificate(folder);
    if (!certificate.ok()) Die(std::string(certificate.status().message()));
    settings = {"--set", "listen.tls_certificate=" + certificate->file, "--set",
                "listen.tls_key=" + certificate->key_file};
    setenv("CURVECAST_TLS_CA", certificate->file.c_str(), 1);
  }
  static OwnDaemon daemon(folder + "/store", settings);  // Static, so that Die does not leave it running.
  if (absl::Status status = daemon.Start(); !status.ok()) Die(std::string(status.message()));
  Measure(flags, (flags.tls ? "tls://" : "") + daemon.address(), &daemon);
  daemon.Kill();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // As the daemon: daemon/os/process_settings.h.
  CLI::App app("Loads a curvecastd with points, measures it, and checks that all it acknowledged is there.");
  curvecast::Flags flags;
  curvecast::Describe(app, flags);
  CLI11_PARSE(app, argc, argv);
  return curvecast::Main(flags);
}
