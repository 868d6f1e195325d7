// What a point costs on its way to disk and back. CPU time counts; wall time is mostly the disk's.
//   build/release/bin/journal_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

// A folder on the disk of the working directory, since the one for temporary files may be in memory.
class Folder {
 public:
  Folder() {
    std::string name = fs::current_path() / "journal_bench_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<Event> Batches(size_t batches, size_t points) {
  std::vector<Event> events;
  for (size_t i = 0; i < batches; ++i) events.push_back(BatchOf(i + 1, static_cast<Step>(i * points), points));
  return events;
}

// Arguments: points in a batch, batches in a transaction.
void BM_Append(benchmark::State& state) {
  const Folder folder;
  auto journal = SqliteJournal::Open(folder.path());
  if (!journal.ok()) return state.SkipWithError(journal.status().ToString().c_str());
  const auto points = static_cast<size_t>(state.range(0));
  const std::vector<Event> events = Batches(static_cast<size_t>(state.range(1)), points);
  for (auto _ : state) {
    if (!(*journal)->Append(events).ok()) return state.SkipWithError("append failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}
BENCHMARK(BM_Append)->ArgNames({"points", "batches"})->ArgsProduct({{64, 256}, {1, 32, 256}});

void BM_Replay(benchmark::State& state) {
  const Folder folder;
  auto journal = SqliteJournal::Open(folder.path());
  if (!journal.ok()) return state.SkipWithError(journal.status().ToString().c_str());
  const auto points = static_cast<size_t>(state.range(0));
  if (!(*journal)->Append(Batches(1024, points)).ok()) return state.SkipWithError("append failed");
  for (auto _ : state) {
    const absl::Status status = (*journal)->Replay([](Event event) {
      benchmark::DoNotOptimize(event);
      return absl::OkStatus();
    });
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 1024);
}
BENCHMARK(BM_Replay)->ArgName("points")->Arg(64)->Arg(256);

// What a start costs before its replay: the check that the file is in order. By bytes of the file.
void BM_Open(benchmark::State& state) {
  const Folder folder;
  {
    auto journal = SqliteJournal::Open(folder.path());
    if (!journal.ok()) return state.SkipWithError(journal.status().ToString().c_str());
    for (int64_t i = 0; i < state.range(0); i += 1024) {
      if (!(*journal)->Append(Batches(1024, 128)).ok()) return state.SkipWithError("append failed");
    }
  }
  for (auto _ : state) {
    if (!SqliteJournal::Open(folder.path()).ok()) return state.SkipWithError("open failed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(fs::file_size(folder.path() / "journal.db")));
}
BENCHMARK(BM_Open)->ArgName("batches")->Arg(80 * 1024)->Unit(benchmark::kMillisecond);

void BM_Encode(benchmark::State& state) {
  const Event event = BatchOf(1, 0, static_cast<size_t>(state.range(0)));
  size_t bytes = 0;
  for (auto _ : state) bytes += EncodeEvent(event).size();
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_point"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations() * state.range(0));
}
BENCHMARK(BM_Encode)->ArgName("points")->Arg(64)->Arg(256);

}  // namespace
}  // namespace curvecast
