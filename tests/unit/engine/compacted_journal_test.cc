// A journal that is compacted gives the engine that it gave before, bit for bit, its watches too: replayed whole, and
// from a snapshot of any age.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/run_compactor.h"
#include "tests/unit/engine/live_engine.h"

namespace curvecast {
namespace {

using testing::Lived;
using Rows = std::map<int64_t, Event>;

// CURVECAST_COMPACTIONS=60 build/dev/bin/engine_test --gtest_filter=CompactedJournalTest.*
uint64_t Lives() {
  const char* wanted = std::getenv("CURVECAST_COMPACTIONS");
  return wanted == nullptr ? 3 : std::strtoull(wanted, nullptr, 10);
}

struct Snapshot {
  int64_t newest = 0;
  std::string bytes;
  std::map<RunKey, int64_t> ends;  // Of the runs that were over then.
};

// Folds all rows, and takes snapshots on the way.
std::vector<Snapshot> FoldWithSnapshots(const Rows& rows, std::mt19937_64& random) {
  std::vector<Snapshot> snapshots;
  Engine engine;
  for (const auto& [id, event] : rows) {
    EXPECT_TRUE(engine.Apply(event).ok());
    if (random() % 300 != 0 && id != rows.rbegin()->first) continue;
    snapshots.push_back({id, engine.State(), {}});
    engine.ForEach([&](const Run& run) {
      if (run.ended_at() != 0) snapshots.back().ends[run.spec().key] = run.ended_at();
    });
  }
  return snapshots;
}

struct Told {
  int replacements = 0;
  int left = 0;  // Runs that would not be what they were.
};

// Up to that end; perhaps not all of it, as by a daemon that is told to stop.
void Compact(const RunKey& key, int64_t ended_at, std::mt19937_64& random, Rows& rows, Told& told) {
  RunCompactor compactor(Prior::Shipped(), ended_at, {.max_rows = 2 + random() % 100, .least_gain = -1'000'000});
  const Rows before = rows;
  const auto take = [&](const absl::StatusOr<std::optional<Replacement>>& made) {
    if (absl::IsInternal(made.status())) ++told.left;
    EXPECT_FALSE(absl::IsNotFound(made.status())) << key.run_id;
    if (!made.ok() || !made->has_value()) return made.ok();
    for (const int64_t id : (*made)->ids) EXPECT_EQ(rows.erase(id), 1u);
    rows[(*made)->ids.back()] = (*made)->kept;
    ++told.replacements;
    return random() % 10 != 0;
  };
  for (const auto& [id, event] : before) {
    if (event.key == key && !take(compactor.Take({id, 1000, event}))) return;
  }
  take(compactor.Finish());
}

TEST(CompactedJournalTest, GivesTheSameEngineFromItsBeginningAndFromASnapshotOfAnyAge) {
  Told told;
  int older = 0;  // Snapshots that hold points of which a part is compacted behind them.
  for (uint64_t seed = 1; seed <= Lives(); ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Rows rows;
    for (Event& event : Lived(100 + seed, 2500)) rows[static_cast<int64_t>(rows.size()) + 1] = std::move(event);
    const std::vector<Snapshot> snapshots = FoldWithSnapshots(rows, random);
    const std::string& expected = snapshots.back().bytes;
    // What somebody has seen at some time, and what is.
    const std::vector<const Snapshot*> seen = {&snapshots[snapshots.size() / 2], &snapshots.back()};
    for (const Snapshot* board : seen) {
      for (const auto& [key, ended_at] : board->ends) {
        Compact(key, ended_at, random, rows, told);
        if (random() % 4 != 0) continue;  // It takes its time.
        Engine engine;
        for (const auto& [id, event] : rows) ASSERT_TRUE(engine.Apply(event).ok());
        ASSERT_TRUE(engine.State() == expected) << key.run_id;
      }
    }
    for (const Snapshot& snapshot : snapshots) {
      Engine engine;
      ASSERT_TRUE(engine.Load(snapshot.bytes).ok());
      for (auto at = rows.upper_bound(snapshot.newest); at != rows.end(); ++at) {
        ASSERT_TRUE(engine.Apply(at->second).ok());
        const auto* kept = std::get_if<CurveKept>(&at->second.body);
        if (kept != nullptr && !kept->replaced.empty() && kept->replaced[0].first <= snapshot.newest) ++older;
      }
      ASSERT_TRUE(engine.State() == expected) << "from event " << snapshot.newest;
    }
  }
  EXPECT_GT(told.replacements, 20 * static_cast<int>(Lives()));
  EXPECT_GT(older, 10 * static_cast<int>(Lives()));
  EXPECT_EQ(told.left, 0);
}

}  // namespace
}  // namespace curvecast
