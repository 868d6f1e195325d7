// What a start costs with a snapshot and without, and what a snapshot costs while it is taken. Makes a store in the
// working directory (so: on its disk) of so many runs with so many points each, in batches of 125, and removes it
// again.
//   build/release/bin/snapshot_bench RUNS POINTS [STARTS]

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "daemon/store/snapshot_file.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBatch = 125;
constexpr size_t kPiece = size_t{1} << 20U;

class Stopwatch {
 public:
  double Seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  // Of this process: what others take on a shared machine does not count.
  double CpuSeconds() const { return static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC; }

 private:
  std::clock_t cpu_start_ = std::clock();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

[[noreturn]] void Die(const absl::Status& why) {
  fmt::print(stderr, "snapshot_bench: {}\n", std::string(why.message()));
  std::exit(1);
}
void Need(const absl::Status& status) {
  if (!status.ok()) Die(status);
}
template <typename T>
T Need(absl::StatusOr<T> value) {
  if (!value.ok()) Die(value.status());
  return *std::move(value);
}

RunKey KeyOf(int64_t run) { return {"bench", fmt::format("run{}", run)}; }

Event OpenOf(int64_t run, int64_t points) {
  RunOpened opened;
  opened.spec.key = KeyOf(run);
  opened.spec.total_steps = 2 * points;
  opened.spec.schedule = ScheduleSpec{3e-3, 1e-5, points / 50, Decay::kCosine, points / 50, {}, {}};
  Normalize(opened.spec);
  return {1'700'000'000'000'000, KeyOf(run), std::move(opened)};
}

// Points of a run that follows the law, a second apart.
Event BatchOf(int64_t run, int64_t number) {
  BatchAppended batch;
  batch.sequence = static_cast<uint64_t>(number) + 1;
  Column column{"train/loss", {}, {}};
  for (int64_t step = number * kBatch + 1; step <= (number + 1) * kBatch; ++step) {
    uint64_t noise = static_cast<uint64_t>(run * 1'000'003 + step) * 0x9e3779b97f4a7c15U;
    noise ^= noise >> 31U;
    const double scatter = static_cast<double>(noise % 1000) / 1000 - 0.5;
    column.steps.push_back(step);
    column.values.push_back(2 + 3 * std::pow(static_cast<double>(step) + 10, -0.3) + 0.02 * scatter);
  }
  batch.columns.push_back(std::move(column));
  return {1'700'000'000'000'000 + number * kBatch * 1'000'000, KeyOf(run), std::move(batch)};
}

void Fill(const std::string& folder, int64_t runs, int64_t points, Engine& engine) {
  auto journal = Need(SqliteJournal::Open(folder));
  std::vector<Event> events;
  const auto keep = [&] {
    Need(journal->Append(events));
    for (const Event& event : events) Need(engine.Apply(event).status());
    events.clear();
  };
  for (int64_t run = 0; run < runs; ++run) events.push_back(OpenOf(run, points));
  for (int64_t number = 0; number < points / kBatch; ++number) {
    for (int64_t run = 0; run < runs; ++run) {
      events.push_back(BatchOf(run, number));
      if (events.size() >= 1024) keep();
    }
  }
  keep();
}

// As SnapshotTaker does it, but for the thread of its own that writes.
void Take(const std::string& folder, Engine& engine) {
  auto journal = Need(SqliteJournal::Open(folder));
  SnapshotFile file(folder);
  const Stopwatch all;
  const std::string settings = engine.settings();
  fmt::print("a snapshot: {:.1f} ms for the settings, ", all.Seconds() * 1e3);
  auto writing = Need(file.Write({Need(journal->Newest()), settings}));
  std::vector<double> pieces;
  double saving = 0;
  engine.BeginSave();
  for (bool done = false; !done;) {
    std::string piece;
    const Stopwatch one;
    done = engine.Save(kPiece, piece);
    pieces.push_back(one.CpuSeconds());
    saving += pieces.back();
    if (!piece.empty()) Need(writing->Add(piece));
  }
  Need(writing->Finish());
  std::sort(pieces.begin(), pieces.end());
  fmt::print(
      "{} pieces in {:.3f} s of the engine's CPU (median {:.2f} ms, longest {:.2f} ms), {:.2f} s in all, {:.1f} "
      "MB\n",
      pieces.size(), saving, pieces[pieces.size() / 2] * 1e3, pieces.back() * 1e3, all.Seconds(),
      static_cast<double>(fs::file_size(fs::path(folder) / "journal.snapshot")) * 1e-6);
}

struct Took {
  double seconds = 0, cpu_seconds = 0;
};

// As EngineThread does it, up to the first board.
Took Start(const std::string& folder, size_t runs) {
  const Stopwatch all;
  auto journal = Need(SqliteJournal::Open(folder));
  Engine engine;
  SnapshotFile file(folder);
  const auto loaded = LoadSnapshot(file, *journal, engine);
  if (!loaded.ok() && !absl::IsNotFound(loaded.status())) Die(loaded.status());
  Need(journal->Replay(loaded.ok() ? loaded->id : 0, [&](const Event& event) { return engine.Apply(event).status(); }));
  engine.Resume(1'800'000'000'000'000);
  engine.Reconcile(1'800'000'000'000'000);
  if (engine.Publish(1'800'000'000'000'000)->runs.size() != runs) Die(absl::InternalError("runs are missing"));
  return {all.Seconds(), all.CpuSeconds()};
}

void PrintStarts(const char* what, const std::string& folder, size_t runs, int starts) {
  std::vector<double> seconds, cpu_seconds;
  for (int i = 0; i < starts; ++i) {
    const Took took = Start(folder, runs);
    seconds.push_back(took.seconds);
    cpu_seconds.push_back(took.cpu_seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  std::sort(cpu_seconds.begin(), cpu_seconds.end());
  const size_t middle = seconds.size() / 2;
  fmt::print("ready {}: {:.2f} s of CPU; {:.2f} s of time, {:.2f} to {:.2f} (medians of {})\n", what,
             cpu_seconds[middle], seconds[middle], seconds.front(), seconds.back(), starts);
  std::fflush(stdout);
}

void Measure(int64_t runs, int64_t points, int starts) {
  std::string folder = fs::current_path() / "snapshot_bench_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) Die(absl::UnavailableError(folder));
  {
    Engine engine;
    const Stopwatch filling;
    Fill(folder, runs, points, engine);
    fmt::print("{} runs with {} points each, {:.1f} MB of journal, made in {:.1f} s\n", runs, points,
               static_cast<double>(fs::file_size(fs::path(folder) / "journal.db")) * 1e-6, filling.Seconds());
    PrintStarts("without a snapshot", folder, static_cast<size_t>(runs), starts);
    Take(folder, engine);
  }
  PrintStarts("with one", folder, static_cast<size_t>(runs), starts);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: {} RUNS POINTS [STARTS]\n", argv[0]);
    return 2;
  }
  curvecast::Measure(std::atoll(argv[1]), std::atoll(argv[2]), argc > 3 ? std::atoi(argv[3]) : 5);
}
