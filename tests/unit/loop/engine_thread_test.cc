#include <cmath>
#include <condition_variable>
#include <mutex>

#include "tests/unit/engine/finished_runs.h"
#include "tests/unit/loop/engine_thread_fixture.h"

namespace curvecast {
namespace {

using std::chrono::seconds;
using testing::Batch;
using testing::Key;
using testing::Losses;
using testing::Open;

TEST_F(EngineThreadTest, AnAcknowledgedBatchIsInTheJournalAndOnTheBoard) {
  Start();
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}, {2, 3.5}})}));
  const std::vector<Reply> replies = replies_->WaitFor(2);
  // The promise holds at the moment of the acknowledgement, not some time after.
  const auto board = boards_.Get();
  ASSERT_NE(board->Find(Key()), nullptr);
  EXPECT_EQ(board->Find(Key())->metrics.at(0).points, 2);
  EXPECT_EQ(std::get<OpenedReply>(replies[0].body).expected_sequence, 1u);
  EXPECT_EQ(std::get<AckReply>(replies[1].body).sequence, 1u);
  EXPECT_EQ(replies[1].channel, 3u);
  thread_->Stop();
  EXPECT_GE(journal_.events().size(), 2u);
}

TEST_F(EngineThreadTest, WhatWaitsAtTheStopIsKeptAndAnswered) {
  Start();
  Send(Open());
  for (uint64_t sequence = 1; sequence <= 100; ++sequence)
    Send(Batch(sequence, {Losses({{static_cast<Step>(sequence), 4.0}})}));
  thread_->Stop();
  EXPECT_EQ(replies_->size(), 101u);
  EXPECT_EQ(boards_.Get()->Find(Key())->metrics.at(0).points, 100);
}

TEST_F(EngineThreadTest, RunsThatAreOverAreLetGoOfPastTheirLimitAndARestartAgrees) {
  EngineThread::Options options;
  options.limits.max_finished_runs = 1;
  Start(options);
  for (const char* id : {"a", "b", "c"}) {
    Send(Open(1, "", id));
    Event end = Batch(1, {Losses({{1, 4.0}})}, 1, "", id, RunState::kFailed);
    end.time_unix_micros += id[0];
    Send(end);
  }
  Send(Open(1, "", "live"));
  // Two runs alone would not do: so many there are as well before the third is opened.
  EXPECT_TRUE(Eventually([](const Board& shown) { return shown.Find(Key("live")) && shown.runs.size() == 2; }));
  const auto board = boards_.Get();
  EXPECT_NE(board->Find(Key("c")), nullptr) << "it ended last";
  EXPECT_NE(board->Find(Key("live")), nullptr);
  EXPECT_EQ(metrics_.evicted_runs.Value(), 2);
  thread_->Stop();
  Start(options);
  EXPECT_TRUE(Eventually([](const Board& shown) { return !shown.replaying; }));
  EXPECT_EQ(boards_.Get()->runs.size(), 2);
}

TEST_F(EngineThreadTest, ARestartFindsEverythingAgain) {
  Start();
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}})}));
  Send(Batch(2, {Losses({{2, 3.0}})}, 1, "", "r1", RunState::kCompleted));
  replies_->WaitFor(3);
  thread_->Stop();

  Inbox inbox({});
  BoardHolder boards;
  EXPECT_TRUE(boards.Get()->replaying);
  EngineThread again({},
                     {journal_, clock_, inbox, boards, metrics_, [](const absl::Status&) {},
                      [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
                     Prior::Shipped());
  again.Start();
  EXPECT_TRUE(Eventually([&boards](const Board&) { return !boards.Get()->replaying; }));
  again.Stop();
  ASSERT_NE(boards.Get()->Find(Key()), nullptr);
  EXPECT_EQ(boards.Get()->Find(Key())->metrics.at(0).points, 2);
  EXPECT_EQ(boards.Get()->Find(Key())->state, RunState::kCompleted);
  EXPECT_FALSE(boards.Get()->replaying);
}

TEST_F(EngineThreadTest, AResendIsAcknowledgedAndCountedOnce) {
  Start();
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}})}));
  replies_->WaitFor(2);
  Send(Batch(1, {Losses({{1, 4.0}})}));
  const std::vector<Reply> replies = replies_->WaitFor(3);
  EXPECT_EQ(std::get<AckReply>(replies[2].body).sequence, 1u);
  thread_->Stop();
  EXPECT_EQ(metrics_.duplicate_batches.Value(), 1);
  EXPECT_EQ(boards_.Get()->Find(Key())->metrics.at(0).points, 1);
}

TEST_F(EngineThreadTest, ARefusalHarmsNobodyElse) {
  Start();
  Send(Batch(1, {Losses({{1, 4.0}})}, 1, "", "never-opened"));
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}})}));
  const std::vector<Reply> replies = replies_->WaitFor(3);
  EXPECT_EQ(std::get<RejectedReply>(replies[0].body).status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::get<AckReply>(replies[2].body).sequence, 1u);
  EXPECT_EQ(refusals_told_, 1);
}

TEST_F(EngineThreadTest, AFullDiskDelaysAndLosesNothing) {
  Start();
  Send(Open());
  replies_->WaitFor(1);
  thread_->Stop();
  journal_.FailAppend(1, absl::ResourceExhaustedError("disk full"));

  Inbox inbox({});
  BoardHolder boards;
  std::vector<absl::Status> news;
  EngineThread again(
      {},
      {journal_, clock_, inbox, boards, metrics_, [&news](const absl::Status& status) { news.push_back(status); },
       [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
      Prior::Shipped());
  again.Start();
  Ingest ingest{Batch(1, {Losses({{1, 4.0}})}), 3, replies_};
  ASSERT_EQ(inbox.Push(ingest, [] {}), Inbox::PushResult::kTaken);
  const std::vector<Reply> replies = replies_->WaitFor(2);
  EXPECT_EQ(std::get<AckReply>(replies[1].body).sequence, 1u);
  again.Stop();
  ASSERT_EQ(news.size(), 2u) << "the operator hears of the trouble once, and of its end";
  EXPECT_EQ(news[0].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(news[1].ok());
  EXPECT_EQ(boards.Get()->Find(Key())->metrics.at(0).points, 1);
}

TEST_F(EngineThreadTest, ADamagedJournalStopsTheDaemonAndLeavesNoQuestionOpen) {
  Start();
  Send(Open());
  replies_->WaitFor(1);
  journal_.FailAppend(1, absl::DataLossError("row 7 is damaged"));
  Send(Batch(1, {Losses({{1, 4.0}})}));
  EXPECT_TRUE(Eventually([this](const Board&) { return fatal_seen_.load(); }));
  std::atomic<bool> answered{false};
  const bool taken = inbox_.Push(Question{Key(), [&answered](const absl::StatusOr<FoundRun>& found) {
                                            EXPECT_EQ(found.status().code(), absl::StatusCode::kUnavailable);
                                            answered = true;
                                          }});
  thread_->Stop();
  EXPECT_EQ(fatal_.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(!taken || answered);
  EXPECT_EQ(replies_->size(), 1u) << "what is not kept is not acknowledged";
}

TEST_F(EngineThreadTest, AForecastIsMadeShownAndKeptAtCheckpoints) {
  Start();
  Send(Open());
  std::vector<std::pair<Step, double>> points;
  for (Step step = 1; step <= 600; ++step)
    points.emplace_back(step, 2.0 + 3.0 * std::pow(static_cast<double>(step), -0.4));
  Send(Batch(1, {Losses(points)}));
  EXPECT_TRUE(Eventually([](const Board& board) {
    const RunView* run = board.Find(Key());
    return run != nullptr && run->forecast != nullptr && run->forecast->step == 600;
  }));
  thread_->Stop();
  const auto board = boards_.Get();
  const RunView* run = board->Find(Key());
  ASSERT_TRUE(run->forecast->answered()) << Explain(run->forecast->reason);
  EXPECT_NEAR(run->forecast->median(), 2.0 + 3.0 * std::pow(1000.0, -0.4), 0.15);
  EXPECT_FALSE(run->forecast->path.empty());
  EXPECT_EQ(run->history->size(), 1u);
  EXPECT_TRUE(std::holds_alternative<ForecastMade>(journal_.events().back().body));
}

TEST_F(EngineThreadTest, WatchersAreToldOfTheNewestBoard) {
  std::mutex mutex;
  std::condition_variable news;
  int64_t points = 0;
  boards_.Subscribe([&](const std::shared_ptr<const Board>& board) {
    std::lock_guard lock(mutex);
    if (const RunView* run = board->Find(Key()); run != nullptr && !run->metrics.empty())
      points = run->metrics[0].points;
    news.notify_all();
  });
  EngineThread::Options options;
  options.publish_interval = std::chrono::milliseconds(1);
  Start(options);
  Send(Open());
  Send(Batch(1, {Losses({{1, 4.0}})}));
  std::unique_lock lock(mutex);
  EXPECT_TRUE(news.wait_for(lock, seconds(30), [&] { return points == 1; }));
}

TEST_F(EngineThreadTest, WhatTheLoggedRatesSayIsOnTheBoard) {
  Start();
  Send(Open());
  Column rates{"lr", {}, {}}, losses{"train/loss", {}, {}};
  for (Step step = 10; step <= 500; step += 10) {
    const double at = static_cast<double>(step);
    losses.steps.push_back(step);
    losses.values.push_back(2 + 1 / std::sqrt(at));
    rates.steps.push_back(step);
    rates.values.push_back(0.01 * (1 - at / 1000));
  }
  Send(Batch(1, {losses, rates}));
  EXPECT_TRUE(Eventually([](const Board& board) {
    const RunView* run = board.Find(Key());
    return run != nullptr && run->forecast != nullptr && run->inferred_schedule.starts_with("lr: linear, ");
  }));
}

TEST_F(EngineThreadTest, ALiveRunLeansOnFinishedOnesAndAfterARestartForecastsTheSame) {
  EngineThread::Options options;
  options.fitting.renew_interval_micros = options.fitting.lean_interval_micros = 0;  // A call takes this clock 1 ms.
  Start(options);
  for (const char* id : {"a", "b", "c"}) {
    for (Event& event : testing::FinishedRun(id, 1 + 0.01 * (id[0] - 'a'))) Send(std::move(event));
  }
  Send(Open());
  Send(Batch(1, {testing::AkinLosses(1.01, 5, 300)}));
  const auto leans = [](const Board& board) {
    const RunView* run = board.Find(Key());
    return run != nullptr && run->forecast != nullptr && run->forecast->leaned.relatives == 3;
  };
  ASSERT_TRUE(Eventually(leans));
  thread_->Stop();
  const Forecast before = *boards_.Get()->Find(Key())->forecast;

  Inbox inbox({});
  BoardHolder boards;
  EngineThread again({},
                     {journal_, clock_, inbox, boards, metrics_, [](const absl::Status&) {},
                      [](const RunKey&, const absl::Status&) {}, [](const absl::Status&) {}},
                     Prior::Shipped());
  again.Start();
  // The one that the journal kept has no path.
  ASSERT_TRUE(Eventually([&](const Board&) {
    const auto board = boards.Get();
    return leans(*board) && !board->Find(Key())->forecast->path.empty();
  }));
  again.Stop();
  const Forecast after = *boards.Get()->Find(Key())->forecast;
  EXPECT_EQ(before.quantiles, after.quantiles);
  EXPECT_EQ(before.leaned.siblings, after.leaned.siblings);
  EXPECT_EQ(before.leaned.factor, after.leaned.factor);
}

}  // namespace
}  // namespace curvecast
