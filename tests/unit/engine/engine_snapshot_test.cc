// An engine that goes on from a snapshot is the one that has folded everything, bit for bit.

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/archive.h"
#include "core/engine/engine.h"
#include "tests/unit/engine/live_engine.h"

namespace curvecast {
namespace {

using testing::Lived;
using testing::LiveEngine;

constexpr size_t kAll = size_t{1} << 40;

std::string SnapshotOf(Engine& engine) {
  std::string bytes;
  engine.BeginSave();
  EXPECT_TRUE(engine.Save(kAll, bytes));
  EXPECT_TRUE(bytes == engine.State());
  return bytes;
}

// A flag's change as bytes, so that NaN is like NaN.
std::string BytesOf(std::vector<FlagChange> changes) {
  std::string bytes;
  ArchiveWriter archive(bytes);
  for (const FlagChange& change : changes) archive(change.what, change.flag);
  return bytes;
}

struct Replayed {
  std::string snapshot;  // At the end.
  std::string said;      // By the watch, from the cut on.
};

Replayed GoOn(Engine& engine, const std::vector<Event>& events, size_t from) {
  Replayed replayed;
  for (size_t i = from; i < events.size(); ++i) {
    auto effect = engine.Apply(events[i]);
    EXPECT_TRUE(effect.ok()) << effect.status();
    replayed.said += BytesOf(std::move(effect->flag_changes));
  }
  replayed.snapshot = SnapshotOf(engine);
  return replayed;
}

// Otherwise the tests below try nothing.
TEST(EngineSnapshotTest, TheLivesThatAreTriedHoldFlagsOfManyKindsRewindsEndsAndPasts) {
  LiveEngine live(1);
  for (int i = 0; i < 6000; ++i) live.Act();
  std::set<FlagKind> kinds;
  int64_t rewinds = 0, finished = 0, pasts = 0;
  live.engine().ForEach([&](const curvecast::Run& run) {
    for (const BookedFlag& flag : *run.flags().flags()) kinds.insert(flag.flag.kind);
    rewinds += run.rewind_count();
    finished += run.finished() ? 1 : 0;
  });
  live.engine().ForEachPast(
      [&](const PastKey& key) { pasts += static_cast<int64_t>(live.engine().Past(key)->history.relatives().size()); });
  EXPECT_GE(kinds.size(), 9u);
  EXPECT_GT(rewinds, 20);
  EXPECT_GT(finished, 5);
  EXPECT_GT(pasts, 5);
}

TEST(EngineSnapshotTest, GoesOnFromAnySnapshotAsIfItHadFoldedEverything) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const std::vector<Event> events = Lived(seed, 2400);
    Engine folded;
    for (size_t cut = 0; cut < events.size(); cut += 1 + events.size() / 8) {
      SCOPED_TRACE(cut);
      for (size_t i = cut == 0 ? 0 : cut - 1 - events.size() / 8; i < cut; ++i)
        ASSERT_TRUE(folded.Apply(events[i]).ok());
      const std::string snapshot = SnapshotOf(folded);
      Engine loaded;
      ASSERT_TRUE(loaded.Load(snapshot).ok());
      ASSERT_EQ(loaded.runs(), folded.runs());
      ASSERT_EQ(loaded.running(), folded.running());
      EXPECT_EQ(SnapshotOf(loaded), snapshot);
      Engine whole;
      for (size_t i = 0; i < cut; ++i) ASSERT_TRUE(whole.Apply(events[i]).ok());
      const Replayed expected = GoOn(whole, events, cut), found = GoOn(loaded, events, cut);
      EXPECT_EQ(found.said, expected.said);
      EXPECT_TRUE(found.snapshot == expected.snapshot);
    }
  }
}

// With all that a live engine has beside the fold, taken piece by piece while it goes on.
TEST(EngineSnapshotTest, OfALiveEngineIsThatOfAReplayUpToWhereItBegan) {
  for (uint64_t seed = 11; seed <= 12; ++seed) {
    LiveEngine live(seed);
    Engine replayed;
    std::string pieces, expected;
    bool saving = false;
    int checked = 0;
    for (int i = 0; i < 4000; ++i) {
      if (!saving && i % 150 == 149) {
        live.engine().BeginSave();
        expected = SnapshotOf(replayed);
        pieces.clear();
        saving = true;
      }
      for (const Event& event : live.Act()) ASSERT_TRUE(replayed.Apply(event).ok());
      if (!saving || i % 3 != 0) continue;
      std::string piece;
      saving = !live.engine().Save(50'000, piece);
      pieces += piece;
      if (saving) continue;
      // The records come in another order.
      Engine loaded;
      ASSERT_TRUE(loaded.Load(pieces).ok());
      ASSERT_TRUE(SnapshotOf(loaded) == expected);
      ++checked;
    }
    EXPECT_GT(checked, 10);
  }
}

TEST(EngineSnapshotTest, ShowsWhatAReplayShows) {
  const std::vector<Event> events = Lived(5, 3000);
  Engine folded, loaded;
  for (const Event& event : events) ASSERT_TRUE(folded.Apply(event).ok());
  ASSERT_TRUE(loaded.Load(SnapshotOf(folded)).ok());
  const auto expected = folded.Publish(0), found = loaded.Publish(0);
  ASSERT_EQ(found->runs.size(), expected->runs.size());
  for (size_t i = 0; i < found->runs.size(); ++i) {
    const RunView& a = *expected->runs[i];
    const RunView& b = *found->runs[i];
    EXPECT_EQ(*a.spec, *b.spec);
    EXPECT_EQ(a.step, b.step);
    EXPECT_EQ(a.deviation_sigma, b.deviation_sigma);
    EXPECT_EQ(a.forecast == nullptr, b.forecast == nullptr);
    if (a.forecast != nullptr && b.forecast != nullptr) {
      EXPECT_EQ(a.forecast->quantiles, b.forecast->quantiles);
    }
    EXPECT_EQ(a.history->size(), b.history->size());
    EXPECT_EQ(a.flags->size(), b.flags->size());
    EXPECT_EQ(a.rewinds, b.rewinds);
    EXPECT_EQ(a.phase, b.phase);
  }
  const std::vector<Event> reconciled = folded.Reconcile(7), too = loaded.Reconcile(7);
  ASSERT_EQ(reconciled.size(), too.size());
}

TEST(EngineSnapshotTest, RefusesWhatIsCutShortAndIsEmptyAgainAfterClear) {
  Engine folded;
  for (const Event& event : Lived(6, 300)) ASSERT_TRUE(folded.Apply(event).ok());
  const std::string snapshot = SnapshotOf(folded);
  for (size_t size = 1; size < snapshot.size(); size += 1 + snapshot.size() / 200) {
    Engine loaded;
    if (loaded.Load(std::string_view(snapshot).substr(0, size)).ok()) continue;  // Between two records.
    loaded.Clear();
    EXPECT_EQ(loaded.runs(), 0u);
    ASSERT_TRUE(loaded.Load(snapshot).ok());
    EXPECT_TRUE(SnapshotOf(loaded) == snapshot);
  }
  Engine twice;
  ASSERT_TRUE(twice.Load(snapshot).ok());
  EXPECT_FALSE(twice.Load(snapshot).ok()) << "a run is there once";
}

TEST(EngineSnapshotTest, SettingsTellEnginesApartThatFoldDifferently) {
  WatchOptions other;
  other.silent_after_seconds = 60;
  EXPECT_EQ(Engine().settings(), Engine(Prior::Shipped(), {}).settings());
  EXPECT_NE(Engine().settings(), Engine(Prior::Shipped(), other).settings());
  EXPECT_NE(Engine().settings(), Engine::Unwatched(Prior::Shipped()).settings());
  Prior prior = Prior::Shipped();
  prior.kinds[0].kinship.own *= 2;
  EXPECT_NE(Engine().settings(), Engine(prior, {}).settings());
}

}  // namespace
}  // namespace curvecast
