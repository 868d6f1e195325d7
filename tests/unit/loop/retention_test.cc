// By age and by size, the oldest ended runs first, never a live one; and the journal folds to the same.

#include "daemon/loop/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/ports/memory_journal.h"
#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using testing::AkinLosses;
using testing::Batch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Key;
using testing::Open;

constexpr int64_t kHour = 3'600'000'000;

class SetClock final : public Clock {
 public:
  int64_t NowUnixMicros() override { return now; }
  int64_t MonotonicMicros() override { return ++ticks_; }
  int64_t now = 0;

 private:
  int64_t ticks_ = 0;
};

class RetentionTest : public ::testing::Test {
 protected:
  // `batches` of 200 points; the end at hour `ended`, or none.
  void Run(const std::string& id, int batches, std::optional<int64_t> ended) {
    std::vector<Event> events = {Open(1, "", id)};
    for (int i = 0; i < batches; ++i) {
      events.push_back(Batch(static_cast<uint64_t>(i) + 1, {AkinLosses(1, 1000 * i, 1000 * i + 999)}, 1, "", id));
    }
    if (ended) events.push_back(Batch(1000, {}, 1, "", id, RunState::kFailed));
    for (Event& event : events) event.time_unix_micros = ended.value_or(0) * kHour + 1;
    ASSERT_TRUE(journal_.Append(events).ok());
  }

  std::shared_ptr<const Board> Shown() {
    Engine engine;
    EXPECT_TRUE(journal_.Replay([&](const Event& event) { return engine.Apply(event).status(); }).ok());
    return engine.Publish(clock_.now);
  }

  Retention& retention() {
    if (retention_ == nullptr) {
      retention_ = std::make_unique<Retention>(options_, journal_, clock_, metrics_, Prior::Shipped());
    }
    return *retention_;
  }
  Retention::Round Do() {
    const auto round = retention().Do(*Shown(), [](int64_t) { return true; });
    EXPECT_TRUE(round.ok()) << round.status();
    return round.value_or(Retention::Round{});
  }

  // Runs with a CurveKept, in order of id.
  std::vector<std::string> Compacted() const {
    std::vector<std::string> runs;
    for (const Event& event : journal_.events()) {
      if (std::holds_alternative<CurveKept>(event.body)) runs.push_back(event.key.run_id);
    }
    return runs;
  }

  MemoryJournal journal_;
  SetClock clock_;
  prometheus::Registry registry_;
  RetentionMetrics metrics_{registry_};
  Retention::Options options_;
  std::unique_ptr<Retention> retention_;
};

TEST_F(RetentionTest, KeepsEverythingUnlessItIsTold) {
  Run("a", 20, 1);
  clock_.now = 100'000 * kHour;
  EXPECT_EQ(Do().compacted, 0);
  EXPECT_THAT(Compacted(), IsEmpty());
}

TEST_F(RetentionTest, DropsRawPointsOfRunsThatEndedLongAgoAndOfNoOthers) {
  options_.raw_points_micros = 48 * kHour;
  Run("old", 20, 1);
  Run("live", 20, std::nullopt);
  Run("young", 20, 40);
  clock_.now = 50 * kHour;
  const std::shared_ptr<const Board> before = Shown();
  const Retention::Round round = Do();
  EXPECT_EQ(round.compacted, 1);
  EXPECT_EQ(round.points, 4000);
  EXPECT_THAT(Compacted(), ElementsAre("old"));
  EXPECT_EQ(Do().due, 0) << "it is done";
  clock_.now = 100 * kHour;
  EXPECT_EQ(Do().compacted, 1);
  EXPECT_THAT(Compacted(), ElementsAre("old", "young"));
  const std::shared_ptr<const Board> after = Shown();
  for (size_t i = 0; i < before->runs.size(); ++i) {
    EXPECT_EQ(before->runs[i]->metrics[0].points, after->runs[i]->metrics[0].points);
    EXPECT_EQ(before->runs[i]->value, after->runs[i]->value);
    EXPECT_EQ(before->runs[i]->ended_at_unix_micros, after->runs[i]->ended_at_unix_micros);
  }
}

TEST_F(RetentionTest, PastItsSizeTheRunThatEndedFirstGoesFirstAndNoMoreThanMust) {
  Run("b", 20, 2);
  Run("a", 20, 1);
  Run("c", 20, 3);
  options_.max_journal_bytes = journal_.Size()->used_bytes - 20'000;
  clock_.now = 10 * kHour;
  EXPECT_EQ(Do().compacted, 1);
  EXPECT_THAT(Compacted(), ElementsAre("a"));
  EXPECT_EQ(Do().due, 0);
}

TEST_F(RetentionTest, ALiveRunAndOneInItsGraceAreLeftAloneWhateverTheSize) {
  options_.max_journal_bytes = 1;
  options_.grace_micros = 24 * kHour;
  Run("live", 20, std::nullopt);
  Run("just_ended", 20, 5);
  clock_.now = 10 * kHour;
  EXPECT_TRUE(Do().over_limit);
  EXPECT_EQ(metrics_.over_limit.Value(), 1);
  EXPECT_THAT(Compacted(), IsEmpty());
  clock_.now = 50 * kHour;
  EXPECT_FALSE(Do().over_limit);
  EXPECT_THAT(Compacted(), ElementsAre("just_ended"));
  EXPECT_TRUE(Do().over_limit) << "nothing else may go";
}

TEST_F(RetentionTest, ARunThatTheEngineLetGoOfIsCompactedAllTheSame) {
  options_.raw_points_micros = 48 * kHour;
  Run("told", 20, 1);
  Run("before", 20, 2);
  const auto evict = [&](const char* id, int64_t hour) {
    return Event{3 * kHour, Key(id), RunEvicted{hour * kHour + 1}};
  };
  ASSERT_TRUE(journal_.Append({evict("before", 2)}).ok());  // In an earlier life of the daemon.
  clock_.now = 40 * kHour;
  EXPECT_EQ(Do().due, 0);
  ASSERT_TRUE(journal_.Append({evict("told", 1)}).ok());
  retention().Evicted(Key("told"), 1 * kHour + 1);
  clock_.now = 51 * kHour;
  EXPECT_EQ(Do().compacted, 2);
  EXPECT_THAT(Compacted(), ElementsAre("told", "before"));
  EXPECT_EQ(Do().due, 0);
  retention_ = nullptr;
  EXPECT_EQ(Do().due, 0) << "a restart finds that it is done";
}

TEST_F(RetentionTest, AfterARestartItKnowsWhatIsDone) {
  options_.raw_points_micros = 1;
  Run("a", 20, 1);
  Run("b", 20, 2);
  options_.max_runs = 1;
  clock_.now = 10 * kHour;
  EXPECT_TRUE(Do().more);
  retention_.reset();
  const Retention::Round second = Do();
  EXPECT_EQ(second.due, 1);
  EXPECT_EQ(second.compacted, 1);
  retention_.reset();
  EXPECT_EQ(Do().due, 0);
}

TEST_F(RetentionTest, ARunThatWasTakenUpAndEndedAgainIsCompactedAgain) {
  options_.raw_points_micros = 1;
  Run("a", 20, 1);
  clock_.now = 10 * kHour;
  EXPECT_EQ(Do().compacted, 1);
  std::vector<Event> more = {Open(2, "", "a", 20'000)};
  for (int i = 0; i < 10; ++i) {
    more.push_back(
        Batch(static_cast<uint64_t>(i) + 1, {AkinLosses(1, 20'000 + 1000 * i, 20'999 + 1000 * i)}, 2, "", "a"));
  }
  ASSERT_TRUE(journal_.Append(more).ok());
  EXPECT_EQ(Do().due, 0) << "it is live";
  Event end = Batch(11, {}, 2, "", "a", RunState::kFailed);
  end.time_unix_micros = 5 * kHour;
  ASSERT_TRUE(journal_.Append({end}).ok());
  EXPECT_EQ(Do().compacted, 1);
  EXPECT_THAT(Compacted(), ElementsAre("a"));
  EXPECT_EQ(Shown()->Find(Key("a"))->metrics[0].points, 6000);
}

// A board is a moment old, and its watch needs the points of a run that is under way.
TEST_F(RetentionTest, ARunThatWasTakenUpSinceItWasSeenKeepsWhatCameSince) {
  options_.raw_points_micros = 1;
  Run("a", 20, 1);
  clock_.now = 10 * kHour;
  const std::shared_ptr<const Board> board = Shown();
  std::vector<Event> more = {Open(2, "", "a", 20'000)};
  for (int i = 0; i < 10; ++i) {
    more.push_back(
        Batch(static_cast<uint64_t>(i) + 1, {AkinLosses(1, 20'000 + 1000 * i, 20'999 + 1000 * i)}, 2, "", "a"));
  }
  ASSERT_TRUE(journal_.Append(more).ok());
  const auto state = [this] {
    Engine engine;
    EXPECT_TRUE(journal_.Replay([&](const Event& event) { return engine.Apply(event).status(); }).ok());
    return engine.State();
  };
  const std::string before = state();
  const auto round = retention().Do(*board, [](int64_t) { return true; });
  ASSERT_TRUE(round.ok()) << round.status();
  EXPECT_EQ(round->compacted, 1);
  EXPECT_EQ(journal_.events().size(), 2 + more.size());
  EXPECT_TRUE(state() == before);
}

TEST_F(RetentionTest, AJournalThatFailsEndsTheRoundAndTheNextOneGoesOn) {
  options_.raw_points_micros = 1;
  Run("a", 20, 1);
  clock_.now = 10 * kHour;
  const std::shared_ptr<const Board> board = Shown();
  journal_.FailAppend(1, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(retention().Do(*board, [](int64_t) { return true; }).status(), absl::ResourceExhaustedError("full"));
  EXPECT_EQ(Do().compacted, 1);
}

TEST_F(RetentionTest, EndsBetweenTwoPiecesIfItIsTold) {
  options_.raw_points_micros = 1;
  Run("a", 20, 1);
  clock_.now = 10 * kHour;
  EXPECT_TRUE(absl::IsCancelled(retention().Do(*Shown(), [](int64_t) { return false; }).status()));
}

}  // namespace
}  // namespace curvecast
