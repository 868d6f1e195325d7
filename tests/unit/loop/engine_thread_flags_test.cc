// What the watch says is journaled, applied, published, and only then is the batch acknowledged.

#include <future>
#include <limits>

#include "tests/unit/engine/events.h"
#include "tests/unit/loop/engine_thread_fixture.h"

namespace curvecast {
namespace {

using testing::Batch;
using testing::Key;
using testing::Losses;
using testing::Open;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class EngineThreadFlagsTest : public EngineThreadTest {
 protected:
  void SetUp() override { options_.publish_interval = std::chrono::milliseconds(1); }

  Event Now(Event event) {
    event.time_unix_micros = clock_.NowUnixMicros();
    return event;
  }
  std::vector<BookedFlag> Flags() { return *boards_.Get()->Find(Key())->flags; }
  // Waits for one turn of the loop, with its tick.
  void Turn() {
    std::promise<void> answered;
    ASSERT_TRUE(inbox_.Push(Question{Key(), [&](const absl::StatusOr<FoundRun>&) { answered.set_value(); }}));
    answered.get_future().wait();
  }
  absl::StatusOr<BookedFlag> Handle(FlagHandled handled, RunKey key = Key()) {
    std::promise<absl::StatusOr<BookedFlag>> answer;
    const Event event{clock_.NowUnixMicros(), std::move(key), std::move(handled)};
    EXPECT_TRUE(
        inbox_.Push(Handling{event, [&](absl::StatusOr<BookedFlag> flag) { answer.set_value(std::move(flag)); }}));
    return answer.get_future().get();
  }
  int Raised() const {
    int raised = 0;
    for (const Event& event : journal_.events()) {
      const auto* changed = std::get_if<FlagChanged>(&event.body);
      raised += changed != nullptr && changed->change.what == FlagChange::What::kRaised ? 1 : 0;
    }
    return raised;
  }

  EngineThread::Options options_;
};

// Another daemon's life on the same journal.
struct Restarted {
  Restarted(MemoryJournal& journal, Clock& clock, LoopMetrics& metrics)
      : thread({},
               {journal, clock, inbox, boards, metrics, [](const absl::Status&) {},
                [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
               Prior::Shipped()) {
    thread.Start();
    while (boards.Get()->replaying) std::this_thread::yield();
  }
  const std::vector<BookedFlag>& Flags() { return *boards.Get()->Find(Key())->flags; }

  Inbox inbox{{}};
  BoardHolder boards;
  EngineThread thread;
};

TEST_F(EngineThreadFlagsTest, AFlagIsKeptAndShownWhenItsBatchIsAcknowledged) {
  Start(options_);
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}, {2, kNan}})}));
  replies_->WaitFor(2);
  ASSERT_EQ(Flags().size(), 1u);
  EXPECT_EQ(Flags()[0].flag.kind, FlagKind::kNonFinite);
  thread_->Stop();
  EXPECT_EQ(Raised(), 1);
  EXPECT_EQ(metrics_.FlagsRaised(FlagKind::kNonFinite, Severity::kCritical).Value(), 1);
  EXPECT_EQ(metrics_.FlagsRaised(FlagKind::kSpike, Severity::kCritical).Value(), 0);
}

TEST_F(EngineThreadFlagsTest, AReplayRaisesNothingTwice) {
  Start(options_);
  Send(Open());
  Send(Batch(1, {Losses({{1, kNan}})}));
  replies_->WaitFor(2);
  thread_->Stop();
  const size_t kept = journal_.events().size();
  Restarted again(journal_, clock_, metrics_);
  again.thread.Stop();
  EXPECT_EQ(journal_.events().size(), kept);
  EXPECT_EQ(again.Flags().size(), 1u);
}

TEST_F(EngineThreadFlagsTest, ACrashBetweenABatchAndItsFlagLosesNoFlag) {
  Start(options_);
  Send(Open());
  replies_->WaitFor(1);
  journal_.FailAppend(2, absl::DataLossError("the machine dies here"));
  Send(Batch(1, {Losses({{1, kNan}})}));
  EXPECT_TRUE(Eventually([this](const Board&) { return fatal_seen_.load(); }));
  thread_->Stop();
  EXPECT_EQ(Raised(), 0);
  EXPECT_EQ(replies_->size(), 1u) << "the batch is kept, but nobody was told";
  Restarted again(journal_, clock_, metrics_);
  ASSERT_EQ(again.Flags().size(), 1u);
  EXPECT_TRUE(again.Flags()[0].flag.active());
  again.thread.Stop();
  EXPECT_EQ(Raised(), 1);
}

TEST_F(EngineThreadFlagsTest, ADiskThatIsFullForTheFlagDelaysTheAcknowledgement) {
  Start(options_);
  Send(Open());
  replies_->WaitFor(1);
  journal_.FailAppend(2, absl::ResourceExhaustedError("disk full"));
  Send(Batch(1, {Losses({{1, kNan}})}));
  replies_->WaitFor(2);
  EXPECT_EQ(Flags().size(), 1u);
  thread_->Stop();
  EXPECT_EQ(Raised(), 1);
  EXPECT_EQ(journal_news_.size(), 2u);
}

TEST_F(EngineThreadFlagsTest, ARunThatFallsSilentIsFlaggedOnce) {
  Start(options_);
  Send(Open());
  for (uint64_t i = 1; i <= 3; ++i) Send(Now(Batch(i, {Losses({{static_cast<Step>(i), 4.0}})})));
  replies_->WaitFor(4);
  for (int i = 0; i < 20; ++i) {  // 100 s.
    clock_.Advance(5);
    Turn();
  }
  EXPECT_TRUE(Flags().empty());
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(5);
    Turn();
  }
  ASSERT_EQ(Flags().size(), 1u);
  EXPECT_EQ(Flags()[0].flag.kind, FlagKind::kSilent);
  Send(Now(Batch(4, {Losses({{4, 4.0}})})));
  replies_->WaitFor(5);
  EXPECT_EQ(Flags()[0].flag.resolution, Resolution::kRecovered);
}

TEST_F(EngineThreadFlagsTest, NobodyIsSilentBecauseThisThreadWasHeldUp) {
  Start(options_);
  Send(Open());
  for (uint64_t i = 1; i <= 3; ++i) Send(Now(Batch(i, {Losses({{static_cast<Step>(i), 4.0}})})));
  replies_->WaitFor(4);
  clock_.Advance(3600);
  for (int i = 0; i < 20; ++i) {
    Turn();
    clock_.Advance(5);
  }
  EXPECT_TRUE(Flags().empty());
}

// Points every 10 s, and the wall clock is set: by an hour to and fro, and far enough that a learned pause would show.
TEST_F(EngineThreadFlagsTest, AClockThatIsSetFlagsNobodyAndHidesNoSilence) {
  Start(options_);
  Send(Open());
  uint64_t sent = 0;
  const auto report = [&] {
    ++sent;
    Send(Now(Batch(sent, {Losses({{static_cast<Step>(sent), 4.0}})})));
    replies_->WaitFor(sent + 1);
    clock_.Advance(5);
    Turn();
    clock_.Advance(5);
    Turn();
  };
  for (int i = 0; i < 3; ++i) report();
  for (const double seconds : {3600.0, -7200.0, 86400.0 * 365, -86400.0 * 365, 1e5}) {
    clock_.SetBy(seconds);  // The next batch arrives before the next tick.
    report();
    report();
    EXPECT_TRUE(Flags().empty()) << "set by " << seconds;
  }
  for (int i = 0; i < 40; ++i) {  // 200 s.
    clock_.Advance(5);
    Turn();
  }
  ASSERT_EQ(Flags().size(), 1u);
  EXPECT_EQ(Flags()[0].flag.kind, FlagKind::kSilent);
  thread_->Stop();
  EXPECT_EQ(clock_set_by_.size(), 5u);
}

TEST_F(EngineThreadFlagsTest, AClockThatWasSetBackOverARestartFlagsNobodyAndLosesNothing) {
  Start(options_);
  Send(Open());
  for (uint64_t i = 1; i <= 3; ++i) Send(Now(Batch(i, {Losses({{static_cast<Step>(i), 4.0}})})));
  replies_->WaitFor(4);
  thread_->Stop();
  clock_.SetBy(-86400);
  Restarted again(journal_, clock_, metrics_);
  EXPECT_EQ(again.boards.Get()->Find(Key())->metrics[0].points, 3);
  for (uint64_t i = 4; i <= 6; ++i) {
    clock_.Advance(5);
    Ingest ingest{Now(Batch(i, {Losses({{static_cast<Step>(i), 4.0}})})), 3, replies_};
    ASSERT_EQ(again.inbox.Push(ingest, [] {}), Inbox::PushResult::kTaken);
    replies_->WaitFor(i + 1);
  }
  EXPECT_EQ(again.boards.Get()->Find(Key())->metrics[0].points, 6);
  EXPECT_TRUE(again.Flags().empty());
}

TEST_F(EngineThreadFlagsTest, WhatAPersonDoesWithAFlagIsKeptAndShownWhenItIsAnswered) {
  Start(options_);
  Send(Open());
  Send(Batch(1, {Losses({{1, kNan}})}));
  replies_->WaitFor(2);
  const absl::StatusOr<BookedFlag> flag = Handle({1, "ada", "seen", std::nullopt});
  ASSERT_TRUE(flag.ok()) << flag.status();
  EXPECT_EQ(flag->acknowledged_by, "ada");
  EXPECT_EQ(Flags()[0].acknowledged_by, "ada");
  EXPECT_EQ(Handle({2, "ada", "", std::nullopt}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Handle({1, "ada", "", std::nullopt}, Key("nobody")).status().code(), absl::StatusCode::kNotFound);
  thread_->Stop();
  EXPECT_TRUE(std::holds_alternative<FlagHandled>(journal_.events().back().body));
  Restarted again(journal_, clock_, metrics_);
  EXPECT_EQ(again.Flags()[0].note, "seen");
}

TEST_F(EngineThreadFlagsTest, WhoHandlesAFlagIsAnsweredAlthoughTheJournalFails) {
  Start(options_);
  Send(Open());
  Send(Batch(1, {Losses({{1, kNan}})}));
  replies_->WaitFor(2);
  journal_.FailAppend(1, absl::DataLossError("row 7 is damaged"));
  EXPECT_EQ(Handle({1, "ada", "", std::nullopt}).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace curvecast
