// What retention gives and takes: a store of finished runs before and after, in bytes and seconds.
//   build/release/bin/retention_bench RUNS POINTS [FOLDER]

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/loop/retention.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr int kBatch = 128;
constexpr int kForecasts = 90;
constexpr int kAtOnce = 16;  // Runs that write at a time.

class MachineClock final : public Clock {
 public:
  int64_t NowUnixMicros() override { return int64_t{1} << 60; }  // Everything ended long ago.
  int64_t MonotonicMicros() override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  }
};

double Seconds() { return static_cast<double>(MachineClock().MonotonicMicros()) * 1e-6; }

void Check(const absl::Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", std::string(status.message()));
  std::exit(1);
}

RunKey KeyOf(int run) { return {fmt::format("p{}", run % 20), fmt::format("run{}", run)}; }

Event Open(int run, int points) {
  RunOpened opened;
  opened.spec.key = KeyOf(run);
  opened.spec.total_steps = points;
  opened.spec.schedule = ScheduleSpec{.peak_lr = 0.01, .warmup_steps = 80, .decay = Decay::kCosine};
  Normalize(opened.spec);
  return {1, opened.spec.key, opened};
}

Event Batch(int run, int points, int number) {
  BatchAppended batch;
  batch.sequence = static_cast<uint64_t>(number) + 1;
  Column column{"train/loss", {}, {}};
  for (int step = number * kBatch + 1; step <= std::min(points, (number + 1) * kBatch); ++step) {
    const double x = static_cast<double>(step) / points;
    column.steps.push_back(step);
    column.values.push_back((1 + 0.001 * run) * (2 + 0.5 * std::pow(x + 0.01, -0.3) + 0.01 * std::sin(step * run)));
  }
  batch.columns.push_back(std::move(column));
  if ((number + 1) * kBatch >= points) batch.end = RunState::kCompleted;
  return {2 + number, KeyOf(run), batch};
}

Event Made(int run, int points, int number) {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = number * kBatch + kBatch;
  forecast.progress = std::min(1.0, static_cast<double>(forecast.step) / points);
  forecast.quantiles = {2.1, 2.2, 2.3, 2.4, 2.5};
  forecast.leaned.factor = 1;
  return {2 + number, KeyOf(run), ForecastMade{forecast}};
}

void Fill(SqliteJournal& journal, int runs, int points) {
  const int batches = (points + kBatch - 1) / kBatch;
  for (int first = 0; first < runs; first += kAtOnce) {
    const int last = std::min(runs, first + kAtOnce);
    std::vector<Event> events;
    for (int run = first; run < last; ++run) events.push_back(Open(run, points));
    for (int number = 0; number < batches; ++number) {
      for (int run = first; run < last; ++run) {
        events.push_back(Batch(run, points, number));
        const bool forecasts = number * kForecasts / batches != (number + 1) * kForecasts / batches;
        if (forecasts && number + 1 < batches) events.push_back(Made(run, points, number));
      }
      Check(journal.Append(events));
      events.clear();
    }
  }
}

// Opens and replays as a daemon does; the board that it would show.
std::shared_ptr<const Board> Start(const fs::path& folder, std::unique_ptr<SqliteJournal>& journal, const char* when) {
  const double start = Seconds();
  auto opened = SqliteJournal::Open(folder);
  Check(opened.status());
  journal = *std::move(opened);
  Engine engine;
  Check(journal->Replay([&](const Event& event) { return engine.Apply(event).status(); }));
  const double seconds = Seconds() - start;
  const absl::StatusOr<JournalSize> size = journal->Size();
  Check(size.status());
  fmt::print("{}: {} events, {:.1f} MB used of a file of {:.1f} MB; a start takes {:.2f} s\n", when, size->events,
             static_cast<double>(size->used_bytes) * 1e-6, static_cast<double>(size->file_bytes) * 1e-6, seconds);
  return engine.Publish(0);
}

void Measure(const fs::path& folder, int runs, int points) {
  std::unique_ptr<SqliteJournal> journal;
  {
    auto fresh = SqliteJournal::Open(folder);
    Check(fresh.status());
    Fill(**fresh, runs, points);
  }
  const std::shared_ptr<const Board> board = Start(folder, journal, "before");
  MachineClock clock;
  prometheus::Registry registry;
  RetentionMetrics metrics(registry);
  Retention::Options options;
  options.raw_points_micros = 1;
  Retention retention(options, *journal, clock, metrics, Prior::Shipped());
  const double start = Seconds();
  double paused = 0, longest = 0;
  size_t compacted = 0;
  while (true) {
    const auto round = retention.Do(*board, [&](int64_t busy) {
      longest = std::max(longest, static_cast<double>(busy) * 1e-3);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      paused += 1e-4;
      return true;
    });
    Check(round.status());
    compacted += round->compacted;
    if (!round->more) break;
  }
  const double busy = Seconds() - start - paused;
  fmt::print("compacted: {} runs in {:.2f} s, {:.2f} ms a run; the longest piece took {:.1f} ms\n", compacted, busy,
             busy * 1e3 / static_cast<double>(std::max<size_t>(1, compacted)), longest);
  const auto transactions = metrics.replace_seconds.Collect().histogram;
  fmt::print("transactions: {}, {:.2f} ms on average", transactions.sample_count,
             transactions.sample_sum * 1e3 / static_cast<double>(std::max<uint64_t>(1, transactions.sample_count)));
  for (const auto& bucket : transactions.bucket) {
    fmt::print(", {} within {} ms", bucket.cumulative_count, bucket.upper_bound * 1e3);
  }
  fmt::print("\n");
  journal.reset();
  Start(folder, journal, "after");
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: {} RUNS POINTS [FOLDER]\n", argv[0]);
    return 2;
  }
  std::string folder = argc > 3 ? argv[3] : "";
  if (folder.empty()) {
    folder = std::filesystem::temp_directory_path() / "curvecast_retention_XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return 1;
  }
  curvecast::Measure(folder, std::atoi(argv[1]), std::atoi(argv[2]));
  if (argc <= 3) std::filesystem::remove_all(folder);
}
