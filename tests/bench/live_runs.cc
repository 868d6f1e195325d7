// What many live runs cost a daemon that forecasts them all while Prometheus scrapes it: CPU, memory a run, and how
// long a scrape takes. README.md says how to read it.
//   build/release/bin/live_runs --runs 10000 --every 10 --seconds 60

#include <httplib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "fmt/format.h"
#include "tests/bench/load/load_stream.h"
#include "tests/bench/load/own_daemon.h"

namespace curvecast {
namespace {

using Clock = LoadStream::Clock;
using Streams = std::vector<std::unique_ptr<LoadStream>>;
constexpr std::chrono::seconds kPatience{300};
constexpr int kPastBatch = 512;  // Points of a batch of a run's past.

struct Flags {
  int runs = 10000;
  int streams = 100;
  int metrics = 1;
  int64_t total_steps = 10000;
  int past = 5000;
  double every = 10;
  double seconds = 60;
  double scrape_every = 5;
  std::vector<std::string> settings;
};

void Describe(CLI::App& app, Flags& flags) {
  app.add_option("--runs", flags.runs, "Live runs")->check(CLI::Range(1, 1'000'000));
  app.add_option("--streams", flags.streams, "Push streams that they share")->check(CLI::Range(1, 4000));
  app.add_option("--metrics", flags.metrics, "Metrics of each, with the objective")->check(CLI::Range(1, 64));
  app.add_option("--total-steps", flags.total_steps, "Of each run")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--past", flags.past, "Steps that each run has behind it when the measurement begins")
      ->check(CLI::Range(0, 1'000'000'000));
  app.add_option("--every", flags.every, "Seconds between two steps of a run")->check(CLI::Range(0.001, 1e6));
  app.add_option("--seconds", flags.seconds, "How long")->check(CLI::Range(1.0, 1e6));
  app.add_option("--scrape-every", flags.scrape_every, "Seconds between two scrapes")->check(CLI::Range(0.1, 1e6));
  app.add_option("--set", flags.settings, "key=value for the daemon; repeatable");
}

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "live_runs: {}\n", why);
  std::exit(1);  // Without the destructors of streams that gRPC still calls.
}

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

Streams OpenStreams(const Flags& flags, const LoadStream::Options& kind) {
  Streams streams;
  for (int s = 0; s < std::min(flags.streams, flags.runs); ++s) {
    LoadStream::Options options = kind;
    for (int run = s; run < flags.runs; run += flags.streams) options.run_ids.push_back(std::to_string(run));
    streams.push_back(std::make_unique<LoadStream>(std::move(options)));
    streams.back()->Start();
  }
  for (const auto& stream : streams) {
    if (!stream->WaitUntilOpen()) Die("a stream broke before its runs were open " + stream->refusal());
  }
  return streams;
}

void Close(const Streams& streams) {
  for (const auto& stream : streams) stream->Stop();
  for (const auto& stream : streams) {
    const grpc::Status status = stream->WaitUntilDone(kPatience);
    if (!status.ok()) Die(stream->refusal().empty() ? status.error_message() : stream->refusal());
  }
}

// Each run's steps until now, as fast as it goes.
void SendPast(const Flags& flags, LoadStream::Options kind, int batches) {
  kind.points_per_batch = kPastBatch * flags.metrics;
  const Streams streams = OpenStreams(flags, kind);
  for (const auto& stream : streams) stream->Go();
  for (int batch = 0; batch < batches; ++batch) {
    for (int run = 0; run < flags.runs; ++run) {
      streams[static_cast<size_t>(run) % streams.size()]->Offer(Clock::now());
    }
  }
  Close(streams);
}

// Scrapes on a clock, on a thread of its own.
class Scraper {
 public:
  Scraper(const std::string& address, double every)
      : client_("http://" + address), every_(every), thread_([this] { Work(); }) {
    client_.set_read_timeout(60);
  }
  ~Scraper() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // Sorted, in seconds. After Stop.
  std::vector<double> times() const {
    std::vector<double> sorted = times_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }
  size_t bytes() const { return bytes_; }

 private:
  void Work() {
    Clock::time_point due = Clock::now();
    while (!stopping_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (Clock::now() < due) continue;
      due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(every_));
      const Clock::time_point start = Clock::now();
      const httplib::Result page = client_.Get("/metrics");
      if (!page || page->status != 200) Die("a scrape failed");
      times_.push_back(Seconds(Clock::now() - start));
      bytes_ = page->body.size();
    }
  }

  httplib::Client client_;
  const double every_;
  std::vector<double> times_;
  size_t bytes_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // Last.
};

// A counter of the daemon's.
double Counter(const OwnDaemon& daemon, const std::string& name) {
  const httplib::Result page = httplib::Client("http://" + daemon.http_address()).Get("/metrics");
  if (!page) Die("no answer from /metrics");
  const size_t at = page->body.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::strtod(page->body.c_str() + at + name.size() + 2, nullptr);
}

// Offers each run's next step when it is due, the runs in turn.
void Pace(const Flags& flags, const Streams& streams) {
  const Clock::time_point start = Clock::now();
  const double batches_a_second = flags.runs / flags.every;
  for (int64_t n = 0; static_cast<double>(n) < batches_a_second * flags.seconds; ++n) {
    const auto due = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(n) / batches_a_second));
    std::this_thread::sleep_until(due);
    streams[static_cast<size_t>(n) % streams.size()]->Offer(due);
  }
}

void PrintTimes(const Streams& streams, const Scraper& scraper) {
  std::vector<uint32_t> all;
  for (const auto& stream : streams) {
    all.insert(all.end(), stream->acknowledged_after().begin(), stream->acknowledged_after().end());
  }
  const std::vector<double> scrapes = scraper.times();
  if (all.empty() || scrapes.empty()) Die("nothing was acknowledged or scraped");
  std::sort(all.begin(), all.end());
  const auto at = [](const auto& sorted, double share) {
    return static_cast<double>(sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))]);
  };
  fmt::print("acknowledged after: p50 {:.1f} ms, p99 {:.1f} ms\n", at(all, .5) * 1e-3, at(all, .99) * 1e-3);
  fmt::print("{} scrapes of {:.1f} MB: p50 {:.0f} ms, p99 {:.0f} ms\n", scrapes.size(),
             static_cast<double>(scraper.bytes()) * 1e-6, at(scrapes, .5) * 1e3, scrapes.back() * 1e3);
}

int Main(const Flags& flags) {
  setenv("GRPC_VERBOSITY", "NONE", 0);
  std::string folder = std::filesystem::current_path() / "live_runs_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) Die(folder + ": cannot be made");
  std::vector<std::string> settings;
  for (const std::string& setting : flags.settings) settings.insert(settings.end(), {"--set", setting});
  static OwnDaemon daemon(folder + "/store", settings);  // Static, so that Die does not leave it running.
  if (absl::Status status = daemon.Start(); !status.ok()) Die(std::string(status.message()));

  const OwnDaemon::Usage idle = daemon.usage();
  LoadStream::Options kind;
  kind.endpoint = *ToEndpoint(daemon.address());
  kind.metrics = flags.metrics;
  kind.points_per_batch = flags.metrics;
  kind.total_steps = flags.total_steps;
  kind.paced = true;
  kind.window = 1024;
  const int past_batches = flags.past / kPastBatch;
  if (past_batches > 0) SendPast(flags, kind, past_batches);
  kind.incarnation = 2;
  kind.first_step = int64_t{past_batches} * kPastBatch;
  const Streams streams = OpenStreams(flags, kind);
  for (const auto& stream : streams) stream->Go();
  std::this_thread::sleep_for(std::chrono::seconds(2));  // The fits of the past.

  const double fits = Counter(daemon, "curvecast_fits_total");
  const OwnDaemon::Usage before = daemon.usage();
  const Clock::time_point start = Clock::now();
  Scraper scraper(daemon.http_address(), flags.scrape_every);
  Pace(flags, streams);
  scraper.Stop();
  const double seconds = Seconds(Clock::now() - start);
  const OwnDaemon::Usage after = daemon.usage();
  const double fits_a_second = (Counter(daemon, "curvecast_fits_total") - fits) / seconds;
  Close(streams);

  fmt::print("{} live runs, {:.0f} batches/s, {:.0f} refits/s\n", flags.runs, flags.runs / flags.every, fits_a_second);
  PrintTimes(streams, scraper);
  fmt::print("server: {:.2f} cores; {:.1f} MiB at most, {:.1f} KiB a run over {:.1f} MiB idle\n",
             (after.cpu_seconds - before.cpu_seconds) / seconds,
             static_cast<double>(after.most_resident_bytes) / 1048576,
             static_cast<double>(after.resident_bytes - idle.resident_bytes) / 1024 / flags.runs,
             static_cast<double>(idle.resident_bytes) / 1048576);
  daemon.Kill();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  CLI::App app("Holds many live runs in a curvecastd that is scraped, and measures it.");
  curvecast::Flags flags;
  curvecast::Describe(app, flags);
  CLI11_PARSE(app, argc, argv);
  return curvecast::Main(flags);
}
