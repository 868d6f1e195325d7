// Snapshots as the engine's thread takes and uses them.

#include <functional>
#include <optional>
#include <string>

#include "core/ports/memory_snapshot_store.h"
#include "tests/unit/engine/events.h"
#include "tests/unit/loop/engine_thread_fixture.h"

namespace curvecast {
namespace {

using testing::Batch;
using testing::Key;
using testing::Losses;
using testing::Open;

EngineThread::Options SnapshotsAfter(int64_t events) {
  EngineThread::Options options;
  options.snapshots.after_events = events;
  return options;
}

// A daemon's process as far as its loop goes.
struct Process {
  Process(EngineThread::Options options, Journal& journal, Clock& clock, SnapshotStore& snapshots)
      : thread(options,
               {journal, clock, inbox, boards, metrics, [](const absl::Status&) {},
                [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}, &snapshots,
                [this](const absl::Status& status) { news.push_back(status); }},
               Prior::Shipped()) {
    thread.Start();
    EXPECT_TRUE(Eventually([this] { return !boards.Get()->replaying; }));
  }

  void SendRun(const std::string& run_id) {
    auto replies = std::make_shared<Replies>();
    const auto send = [&](Event event) {
      Ingest ingest{std::move(event), 3, replies};
      ASSERT_EQ(inbox.Push(ingest, [] {}), Inbox::PushResult::kTaken);
    };
    send(Open(1, "", run_id));
    for (uint64_t i = 1; i <= 20; ++i) send(Batch(i, {Losses({{static_cast<Step>(i), 4.0}})}, 1, "", run_id));
    replies->WaitFor(21);
  }
  std::optional<Step> StepOf(const std::string& run_id) { return boards.Get()->Find(Key(run_id))->step; }
  static bool Eventually(const std::function<bool()>& predicate) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (predicate()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  Inbox inbox{{}};
  BoardHolder boards;
  prometheus::Registry registry;
  LoopMetrics metrics{registry};
  std::vector<absl::Status> news;  // Of snapshots. To be looked at once the thread has stopped.
  EngineThread thread;
};

class EngineThreadSnapshotTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> Begin(EngineThread::Options options = {}) {
    return std::make_unique<Process>(options, journal_, clock_, snapshots_);
  }
  // What an engine is that folds the whole journal.
  std::string Folded() {
    Engine engine;
    EXPECT_TRUE(journal_.Replay([&](const Event& event) { return engine.Apply(event).status(); }).ok());
    return engine.State();
  }
  // What one is that starts from the snapshot.
  std::string Snapped() {
    Engine engine;
    const auto loaded = LoadSnapshot(snapshots_, journal_, engine);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    const auto apply = [&](const Event& event) { return engine.Apply(event).status(); };
    EXPECT_TRUE(journal_.Replay(loaded.ok() ? loaded->id : 0, apply).ok());
    return engine.State();
  }

  MemoryJournal journal_;
  StepClock clock_;
  MemorySnapshotStore snapshots_;
};

TEST_F(EngineThreadSnapshotTest, TakesOneWhenItStopsAndStartsFromIt) {
  auto process = Begin();
  process->SendRun("r1");
  process->thread.Stop();
  EXPECT_EQ(snapshots_.written(), 1u);
  EXPECT_TRUE(Snapped() == Folded());
  process = Begin();
  EXPECT_EQ(process->metrics.replayed_events.Value(), 0);
  EXPECT_EQ(process->StepOf("r1"), 20);
  process->thread.Stop();
  EXPECT_TRUE(process->news.empty());
  EXPECT_TRUE(Snapped() == Folded());
}

TEST_F(EngineThreadSnapshotTest, TakesOneEverySoManyEventsBesideItsWork) {
  auto process = Begin(SnapshotsAfter(5));
  for (int64_t n = 1; n <= 3; ++n) {
    process->SendRun("r" + std::to_string(n));
    EXPECT_TRUE(Process::Eventually([&] { return process->metrics.snapshots.Value() >= static_cast<double>(n); }));
    clock_.Advance(10);
  }
  process->thread.Stop();
  EXPECT_EQ(process->metrics.snapshot_failures.Value(), 0);
  EXPECT_TRUE(Snapped() == Folded());
}

TEST_F(EngineThreadSnapshotTest, ADeathCostsTheTail) {
  auto process = Begin();
  process->SendRun("r1");
  process->thread.Stop();
  // As if they had come before the process died.
  ASSERT_TRUE(journal_.Append({Batch(21, {Losses({{21, 4.0}})}), Batch(22, {Losses({{22, 4.0}})})}).ok());
  process = Begin();
  EXPECT_EQ(process->metrics.replayed_events.Value(), 2);
  EXPECT_EQ(process->StepOf("r1"), 22);
}

TEST_F(EngineThreadSnapshotTest, ADamagedOneIsToldOfAndEverythingIsReplayed) {
  auto process = Begin();
  process->SendRun("r1");
  process->thread.Stop();
  const auto events = static_cast<double>(journal_.events().size());
  snapshots_.piece(0).resize(100);
  process = Begin();
  EXPECT_EQ(process->metrics.replayed_events.Value(), events);
  EXPECT_EQ(process->StepOf("r1"), 20);
  process->thread.Stop();
  ASSERT_EQ(process->news.size(), 1u);
  EXPECT_NE(process->news[0].message().find("the whole journal is read"), std::string_view::npos);
  EXPECT_TRUE(Snapped() == Folded()) << "another one took its place";
}

TEST_F(EngineThreadSnapshotTest, ADiskThatTakesNoneIsToldOfAndTheWorkGoesOn) {
  snapshots_.Fail(absl::ResourceExhaustedError("full"));
  auto process = Begin(SnapshotsAfter(5));
  process->SendRun("r1");
  EXPECT_TRUE(Process::Eventually([&] { return process->metrics.snapshot_failures.Value() >= 1; }));
  process->SendRun("r2");
  EXPECT_EQ(process->StepOf("r2"), 20);
  process->thread.Stop();
  EXPECT_EQ(process->metrics.snapshots.Value(), 0);
  EXPECT_EQ(snapshots_.written(), 0u);
  ASSERT_FALSE(process->news.empty());
  EXPECT_NE(process->news[0].message().find("no snapshot was written"), std::string_view::npos);
}

}  // namespace
}  // namespace curvecast
