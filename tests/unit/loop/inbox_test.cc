#include "daemon/loop/inbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using std::chrono::milliseconds;
using testing::Batch;
using testing::Losses;
using PushResult = Inbox::PushResult;

Ingest OneBatch(size_t points = 1) {
  Column column{"train/loss", std::vector<Step>(points, 1), std::vector<double>(points, 1.0)};
  return {Batch(1, {std::move(column)}), 0, nullptr};
}

TEST(InboxTest, AFullInboxTakesNothingAndCallsBackWhenThereIsRoom) {
  Inbox inbox({.max_batches = 2});
  bool called = false;
  Ingest one = OneBatch(), two = OneBatch(), three = OneBatch();
  EXPECT_EQ(inbox.Push(one, [] {}), PushResult::kTaken);
  EXPECT_EQ(inbox.Push(two, [] {}), PushResult::kTaken);
  EXPECT_EQ(inbox.Push(three, [&called] { called = true; }), PushResult::kFull);
  EXPECT_EQ(std::get<BatchAppended>(three.event.body).columns.size(), 1u) << "what is refused stays whole";
  EXPECT_FALSE(called);
  EXPECT_EQ(inbox.Drain(milliseconds(0)).size(), 2u);
  EXPECT_TRUE(called);
  EXPECT_EQ(inbox.Push(three, [] {}), PushResult::kTaken);
}

TEST(InboxTest, AStreamThatIsGoneIsNotCalledBack) {
  Inbox inbox({.max_batches = 1});
  Ingest one = OneBatch(), two = OneBatch();
  int called = 0;
  inbox.Push(one, [] {});
  EXPECT_EQ(inbox.Push(two, [&called] { ++called; }), PushResult::kFull);
  EXPECT_EQ(inbox.Push(two, [&called] { ++called; }), PushResult::kFull) << "waits once, however often it asks";
  inbox.Forget(two.sink.get());
  inbox.Drain(milliseconds(0));
  EXPECT_EQ(called, 0);
}

TEST(InboxTest, PointsAreBoundedButOneLargeBatchAlwaysPasses) {
  Inbox inbox({.max_batches = 100, .max_points = 10});
  Ingest large = OneBatch(50), small = OneBatch(1);
  EXPECT_EQ(inbox.Push(large, [] {}), PushResult::kTaken);
  EXPECT_EQ(inbox.Push(small, [] {}), PushResult::kFull);
}

TEST(InboxTest, QuestionsAreBounded) {
  Inbox inbox({.max_questions = 1});
  EXPECT_TRUE(inbox.Push(Question{}));
  EXPECT_FALSE(inbox.Push(Question{}));
  EXPECT_FALSE(inbox.Push(Handling{})) << "they share the room";
  inbox.Drain(milliseconds(0));
  EXPECT_TRUE(inbox.Push(Handling{}));
}

TEST(InboxTest, AClosedInboxRefusesButHandsOutWhatWaits) {
  Inbox inbox({});
  Ingest one = OneBatch(), two = OneBatch();
  inbox.Push(one, [] {});
  inbox.Close();
  EXPECT_EQ(inbox.Push(two, [] {}), PushResult::kClosed);
  EXPECT_FALSE(inbox.Push(Question{}));
  EXPECT_EQ(inbox.Drain(milliseconds(0)).size(), 1u);
}

TEST(InboxTest, EveryBatchOfManyWritersArrivesOnceAndInItsWritersOrder) {
  constexpr uint64_t kBatches = 2000;
  Inbox inbox({.max_batches = 16});
  std::vector<std::thread> writers;
  for (uint64_t writer = 1; writer <= 4; ++writer) {
    writers.emplace_back([&inbox, writer] {
      for (uint64_t sequence = 1; sequence <= kBatches; ++sequence) {
        Ingest ingest{Batch(sequence, {}, writer), 0, nullptr};
        while (inbox.Push(ingest, [] {}) == PushResult::kFull) std::this_thread::yield();
      }
    });
  }
  std::vector<uint64_t> last(5, 0);
  uint64_t taken = 0;
  while (taken < 4 * kBatches) {
    for (Inbox::Item& item : inbox.Drain(milliseconds(100))) {
      const auto& batch = std::get<BatchAppended>(std::get<Ingest>(item).event.body);
      EXPECT_EQ(batch.sequence, last[batch.incarnation] + 1);
      last[batch.incarnation] = batch.sequence;
      ++taken;
    }
  }
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace curvecast
