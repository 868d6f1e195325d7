// A snapshot whose event is replaced in the journal is of no use any more, and another is taken.

#include "daemon/loop/snapshot_taker.h"

#include <memory>
#include <thread>

#include "core/ports/memory_snapshot_store.h"
#include "tests/unit/engine/finished_runs.h"
#include "tests/unit/loop/engine_thread_fixture.h"

namespace curvecast {
namespace {

using testing::AkinLosses;
using testing::Batch;
using testing::Key;
using testing::Open;

class SnapshotTakerTest : public ::testing::Test {
 protected:
  SnapshotTakerTest() {
    for (const Event& event :
         {Open(), Batch(1, {AkinLosses(1, 1, 6000)}), Batch(2, {}, 1, "", "r1", RunState::kFailed)}) {
      EXPECT_TRUE(journal_.Append({event}).ok());
      EXPECT_TRUE(engine_.Apply(event).ok());
      taker_.Folded(event);
    }
  }

  void Compact() {
    RunCompactor compactor(Prior::Shipped(), engine_.Find(Key())->ended_at(), {.least_gain = -1'000'000});
    for (const StoredEvent& stored : journal_.stored()) ASSERT_TRUE(compactor.Take(stored).ok());
    const auto made = compactor.Finish();
    ASSERT_TRUE(made.ok() && made->has_value());
    ASSERT_TRUE(journal_.Replace(**made).ok());
  }
  bool IsOfUse() {
    Engine engine;
    return LoadSnapshot(snapshots_, journal_, engine).ok() && engine.State() == engine_.State();
  }

  Engine engine_;
  MemoryJournal journal_;
  MemorySnapshotStore snapshots_;
  StepClock clock_;
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  SnapshotTaker taker_{{}, {engine_, journal_, &snapshots_, clock_, metrics_, [](const absl::Status&) {}}};
};

TEST_F(SnapshotTakerTest, AtTheEndIfNothingElseHasCome) {
  taker_.TakeLast();
  taker_.TakeLast();
  EXPECT_EQ(snapshots_.written(), 1u);
  Compact();
  EXPECT_FALSE(IsOfUse());
  taker_.TakeLast();
  EXPECT_EQ(snapshots_.written(), 2u);
  EXPECT_TRUE(IsOfUse());
}

TEST_F(SnapshotTakerTest, WithinAMinute) {
  taker_.TakeLast();
  Compact();
  SnapshotTaker next({}, {engine_, journal_, &snapshots_, clock_, metrics_, [](const absl::Status&) {}});
  next.Step();
  EXPECT_EQ(next.NextWait(), std::chrono::milliseconds::max()) << "it knows of none";
  next.Loaded({3, 4711});
  clock_.Advance(61);
  for (int i = 0; i < 30'000 && metrics_.snapshots.Value() < 2; ++i) {
    next.Step();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(snapshots_.written(), 2u);
  EXPECT_TRUE(IsOfUse());
}

}  // namespace
}  // namespace curvecast
