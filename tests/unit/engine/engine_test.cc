#include "core/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using testing::Batch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Key;
using testing::Losses;
using testing::Open;

TEST(EngineTest, ABatchOfAnUnknownRunIsRefusedAndChangesNothing) {
  Engine engine;
  EXPECT_EQ(engine.Apply(Batch(1, {Losses({{1, 4.0}})})).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(engine.runs(), 0u);
}

TEST(EngineTest, TheBoardListsRunsInOrderOfKeyAndFindsThem) {
  Engine engine;
  for (const char* id : {"b", "c", "a"}) ASSERT_TRUE(engine.Apply(Open(1, "", id)).ok());
  const auto board = engine.Publish(7);
  ASSERT_EQ(board->runs.size(), 3u);
  EXPECT_EQ(board->runs[0]->spec->key.run_id, "a");
  EXPECT_EQ(board->Find(Key("c")), board->runs[2].get());
  EXPECT_EQ(board->Find(Key("d")), nullptr);
  EXPECT_FALSE(board->replaying);
}

TEST(EngineTest, AViewIsSharedBetweenBoardsUntilItsRunChanges) {
  Engine engine;
  ASSERT_TRUE(engine.Apply(Open(1, "", "a")).ok());
  ASSERT_TRUE(engine.Apply(Open(1, "", "b")).ok());
  const auto before = engine.Publish(1);
  ASSERT_TRUE(engine.Apply(Batch(1, {Losses({{1, 4.0}})}, 1, "", "b")).ok());
  const auto after = engine.Publish(2);
  EXPECT_EQ(before->runs[0], after->runs[0]);
  EXPECT_NE(before->runs[1], after->runs[1]);
  EXPECT_FALSE(before->runs[1]->step.has_value()) << "a board never changes";
}

// The state is the fold: two engines that apply the same events show the same, whatever the events are.
TEST(EngineTest, TheSameEventsGiveTheSameBoard) {
  std::mt19937_64 random(20261122);
  std::vector<Event> events = {Open(1, "", "a"), Open(1, "", "b")};
  for (int i = 0; i < 500; ++i) {
    const std::string id = random() % 2 == 0 ? "a" : "b";
    const uint64_t life = 1 + random() % 3;
    if (random() % 10 == 0) {
      events.push_back(Open(life, "", id));
    } else {
      const Step step = static_cast<Step>(random() % 1000);
      events.push_back(
          Batch(1 + random() % 200, {Losses({{step, 1.0 / static_cast<double>(step + 1)}})}, life, "", id));
    }
  }
  Engine one, two;
  for (const Event& event : events) ASSERT_TRUE(one.Apply(event).ok());
  for (const Event& event : events) ASSERT_TRUE(two.Apply(event).ok());
  for (const char* id : {"a", "b"}) {
    const Curve& left = one.Find(Key(id))->objective();
    const Curve& right = two.Find(Key(id))->objective();
    ASSERT_EQ(left.bins().size(), right.bins().size());
    for (size_t i = 0; i < left.bins().size(); ++i) {
      EXPECT_EQ(left.bins()[i].mean, right.bins()[i].mean);
      EXPECT_EQ(left.bins()[i].m2, right.bins()[i].m2);
    }
    EXPECT_EQ(one.Find(Key(id))->rewind_count(), two.Find(Key(id))->rewind_count());
  }
}

// As the daemon does: what Evict says is applied.
std::vector<std::string> Evict(Engine& engine, size_t most) {
  std::vector<std::string> evicted;
  for (const Event& event : engine.Evict(most, 9)) {
    EXPECT_TRUE(engine.Apply(event).ok());
    evicted.push_back(event.key.run_id);
  }
  return evicted;
}

TEST(EngineEvictionTest, LetsGoOfTheRunsThatEndedFirstAndOfNoneThatIsUnderWay) {
  Engine engine;
  for (const char* id : {"d", "b", "live", "a", "c"}) {
    ASSERT_TRUE(engine.Apply(Open(1, "", id)).ok());
    Event end = Batch(1, {Losses({{1, 3.0}})}, 1, "", id);
    if (std::string(id) != "live") std::get<BatchAppended>(end.body).end = RunState::kFailed;
    end.time_unix_micros += static_cast<int64_t>(engine.runs());
    ASSERT_TRUE(engine.Apply(end).ok());
  }
  EXPECT_THAT(Evict(engine, 4), IsEmpty());
  EXPECT_THAT(Evict(engine, 2), ElementsAre("d", "b"));
  EXPECT_EQ(engine.runs(), 3);
  EXPECT_EQ(engine.running(), 1);
  EXPECT_EQ(engine.Find(Key("d")), nullptr);
  EXPECT_THAT(Evict(engine, 0), ElementsAre("a", "c"));
  EXPECT_EQ(engine.Publish(1)->runs.size(), 1);
  EXPECT_EQ(engine.runs(), engine.running());
}

TEST(EngineEvictionTest, WhatARunTaughtItsProjectStaysAndItsNameIsFree) {
  Engine engine;
  for (const Event& event : testing::FinishedRun("a", 1)) ASSERT_TRUE(engine.Apply(event).ok());
  const PastKey past = PastKeyOf(engine.Find(Key("a"))->spec());
  ASSERT_EQ(engine.Past(past)->history.relatives().size(), 1);
  EXPECT_THAT(Evict(engine, 0), ElementsAre("a"));
  EXPECT_EQ(engine.Past(past)->history.relatives().size(), 1);
  EXPECT_FALSE(engine.Apply(Batch(9, {Losses({{9, 3.0}})}, 1, "", "a")).ok()) << "it is not there";
  ASSERT_TRUE(engine.Apply(Open(1, "", "a")).ok());
  EXPECT_TRUE(engine.Find(Key("a"))->objective().empty());
  for (const Event& event : testing::FinishedRun("a", 1.5)) ASSERT_TRUE(engine.Apply(event).ok());
  EXPECT_EQ(engine.Past(past)->history.relatives().size(), 1) << "one of a name";
}

// A run may go, and its name come back, between two pieces of a snapshot.
TEST(EngineEvictionTest, ASnapshotUnderWayHasTheRunThatWas) {
  for (const bool returns : {false, true}) {
    Engine engine;
    for (const char* id : {"a", "b"}) {
      for (const Event& event : testing::FinishedRun(id, 1)) ASSERT_TRUE(engine.Apply(event).ok());
    }
    const std::string then = engine.State();
    engine.BeginSave();
    Evict(engine, 0);
    if (returns) {
      ASSERT_TRUE(engine.Apply(Open(1, "", "b")).ok());
    }
    std::string saved;
    for (bool all = false; !all;) {
      std::string piece;
      all = engine.Save(1, piece);
      saved += piece;
    }
    Engine loaded;
    ASSERT_TRUE(loaded.Load(saved).ok());
    EXPECT_TRUE(loaded.State() == then);
  }
}

}  // namespace
}  // namespace curvecast
