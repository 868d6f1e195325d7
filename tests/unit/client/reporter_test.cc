#include "client/cpp/reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "client/cpp/link.h"
#include "tests/unit/client/fake_ingest.h"

namespace curvecast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Answer = FakeIngest::Answer;
using Received = FakeIngest::Received;
using Reply = FakeIngest::Reply;

ReportedRun DemoRun() {
  ReportedRun run;
  run.project = "demo";
  run.run_id = "a";
  run.total_steps = 1000;
  run.schedule = ReportedSchedule{0.01, 0.001, 50, ReportedSchedule::Decay::kCosine, 0};
  run.labels["optimizer"] = "adamw";
  return run;
}

ReporterOptions To(const std::string& address) {
  ReporterOptions options;
  options.address = address;
  options.flush_interval = milliseconds(5);
  options.max_points_per_batch = 10;
  return options;
}

std::vector<int64_t> UpTo(int64_t last) {
  std::vector<int64_t> steps(static_cast<size_t>(last));
  std::iota(steps.begin(), steps.end(), 1);
  return steps;
}

v1::Rejected Rejection(int code, uint64_t sequence) {
  v1::Rejected rejected;
  rejected.set_code(code);
  rejected.set_sequence(sequence);
  rejected.set_field("batch.points[0].metric");
  rejected.set_message("not today");
  return rejected;
}

// An address where nothing listens: a server held it and is gone.
std::string DeadAddress() { return FakeIngest().address(); }

TEST(ReporterTest, ARunArrivesWholeWithItsDeclarationAndItsEnd) {
  FakeIngest daemon;
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(1000)) reporter.Log(step, "train/loss", 5.0 / static_cast<double>(step));
  reporter.Log(1000, "eval/loss", NAN);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  const Received received = daemon.received();
  ASSERT_EQ(received.opens.size(), 1u);
  EXPECT_EQ(received.opens[0].run().schedule().decay(), v1::Schedule::COSINE);
  EXPECT_EQ(received.opens[0].run().labels().at("optimizer"), "adamw");
  EXPECT_GT(received.opens[0].incarnation(), 1'600'000'000'000'000u);
  EXPECT_FALSE(received.opens[0].has_resume_step());
  EXPECT_EQ(FakeIngest::Steps(received, "train/loss"), UpTo(1000));
  EXPECT_THAT(FakeIngest::Steps(received, "eval/loss"), ElementsAre(1000));
  EXPECT_EQ(received.batches.back().end().state(), v1::Run::COMPLETED);
  EXPECT_EQ(reporter.stats().acknowledged, 1001u);
  EXPECT_EQ(reporter.stats().dropped, 0u);
}

TEST(ReporterTest, AStreamThatBreaksMidwayIsTakenUpWhereItBroke) {
  // Every stream takes four requests (the last one without saying so) and breaks.
  FakeIngest daemon([](int stream, int nth, const v1::PushRequest&) {
    return Reply{stream < 4 && nth == 3 ? Answer::kBreakStream : Answer::kTake, {}, {}};
  });
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(500)) reporter.Log(step, "train/loss", 1);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(500));
  EXPECT_EQ(reporter.stats().acknowledged, 500u);
  EXPECT_EQ(reporter.stats().reconnects, 4u);
}

TEST(ReporterTest, ADaemonThatForgotUnacknowledgedBatchesGetsThemAgain) {
  // The first stream takes no batch (the rejection is of one that does not exist) and breaks; the second expects the
  // first batch.
  FakeIngest daemon([](int stream, int nth, const v1::PushRequest& request) {
    if (stream > 0 || request.has_open()) return Reply{};
    return Reply{nth == 5 ? Answer::kBreakStream : Answer::kIgnore, Rejection(grpc::UNAVAILABLE, 99), {}};
  });
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(200)) reporter.Log(step, "train/loss", 1);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(200));
}

TEST(ReporterTest, ARefusedBatchIsDroppedAndCountedAndTheRestArrives) {
  FakeIngest daemon([](int, int, const v1::PushRequest& request) {
    if (!request.has_batch() || request.batch().sequence() != 2) return Reply{};
    return Reply{Answer::kTake, Rejection(grpc::INVALID_ARGUMENT, 2), {}};
  });
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(100)) reporter.Log(step, "train/loss", 1);
  EXPECT_FALSE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  const Reporter::Stats stats = reporter.stats();
  EXPECT_GT(stats.dropped, 0u);
  EXPECT_EQ(stats.dropped + stats.acknowledged, 100u);
  EXPECT_EQ(daemon.received().batches.back().end().state(), v1::Run::COMPLETED);
}

TEST(ReporterTest, ALimitOnABatchOfWhichTheRestWasTakenStopsNothing) {
  FakeIngest daemon([](int, int, const v1::PushRequest& request) {
    if (!request.has_batch()) return Reply{};
    return Reply{Answer::kTakeInPart, Rejection(grpc::RESOURCE_EXHAUSTED, request.batch().sequence()), {}};
  });
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(100)) reporter.Log(step, "train/loss", 1);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  EXPECT_EQ(daemon.received().streams, 1);
  EXPECT_EQ(reporter.stats().dropped, 0u);
  ASSERT_FALSE(daemon.received().batches.empty());
  EXPECT_EQ(daemon.received().batches.back().end().state(), v1::Run::COMPLETED);
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(100)) << "nothing is sent twice";
}

TEST(ReporterTest, AJobThatGoesBackOpensANewLifeAfterTheOldPointsAreSafe) {
  FakeIngest daemon;
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (const int64_t step : UpTo(100)) reporter.Log(step, "train/loss", 1);
  for (int64_t step = 81; step <= 90; ++step) reporter.Log(step, "train/loss", 2);
  EXPECT_TRUE(reporter.Finish(RunEnd::kStopped, seconds(30)));
  const Received received = daemon.received();
  ASSERT_EQ(received.opens.size(), 2u);
  EXPECT_EQ(received.opens[1].incarnation(), received.opens[0].incarnation() + 1);
  EXPECT_EQ(received.opens[1].resume_step(), 81);
  std::vector<int64_t> expected = UpTo(100);
  for (int64_t step = 81; step <= 90; ++step) expected.push_back(step);
  EXPECT_EQ(FakeIngest::Steps(received, "train/loss"), expected);
  EXPECT_EQ(received.streams, 1);
}

TEST(ReporterTest, ARestartedProcessCanSayWhereItResumes) {
  FakeIngest daemon;
  ReporterOptions options = To(daemon.address());
  options.resume_step = 80;
  Reporter reporter(DemoRun(), options);
  reporter.Log(85, "train/loss", 1);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  const Received received = daemon.received();
  ASSERT_EQ(received.opens.size(), 1u);
  ASSERT_TRUE(received.opens[0].has_resume_step());
  EXPECT_EQ(received.opens[0].resume_step(), 80);
}

TEST(ReporterTest, ADaemonThatNeverAnswersDoesNotBlockTheJob) {
  FakeIngest daemon([](int, int, const v1::PushRequest&) { return Reply{Answer::kIgnore, {}, {}}; });
  ReporterOptions options = To(daemon.address());
  options.max_buffered_points = 1000;
  options.close_timeout = milliseconds(50);
  const auto start = std::chrono::steady_clock::now();
  {
    Reporter reporter(DemoRun(), options);
    ASSERT_TRUE(daemon.WaitFor([](const Received& r) { return r.streams > 0; }));
    const auto logging = std::chrono::steady_clock::now();
    for (const int64_t step : UpTo(100'000)) reporter.Log(step, "train/loss", 1);
    EXPECT_LT(std::chrono::steady_clock::now() - logging, seconds(5));
    EXPECT_EQ(reporter.stats().logged, 100'000u);
    EXPECT_GE(reporter.stats().dropped, 99'000u);
    EXPECT_LT(reporter.stats().dropped, 99'800u);
    EXPECT_FALSE(reporter.Finish(RunEnd::kCompleted, milliseconds(50)));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20));
}

TEST(ReporterTest, WithoutADaemonTheJobEndsInTime) {
  const std::string address = DeadAddress();
  const auto start = std::chrono::steady_clock::now();
  {
    ReporterOptions options = To(address);
    options.close_timeout = milliseconds(100);
    Reporter reporter(DemoRun(), options);
    for (const int64_t step : UpTo(1000)) reporter.Log(step, "train/loss", 1);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

TEST(ReporterTest, WithoutFinishThePointsArriveAndTheRunIsLeftRunning) {
  FakeIngest daemon;
  {
    ReporterOptions options = To(daemon.address());
    options.close_timeout = seconds(30);
    Reporter reporter(DemoRun(), options);
    for (const int64_t step : UpTo(50)) reporter.Log(step, "train/loss", 1);
  }
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(50));
  for (const v1::Batch& batch : daemon.received().batches) EXPECT_FALSE(batch.has_end());
}

// As client/cpp/README.md has it.
TEST(ReporterTest, TheExampleOfTheReadmeReportsARun) {
  FakeIngest daemon;
  const std::string address = daemon.address();
  const int64_t total_steps = 200;

  curvecast::ReportedRun run;
  run.project = "demo";
  run.run_id = "width256_seed1";
  run.family = "demo/width256";
  run.total_steps = total_steps;
  run.schedule = {.peak_lr = 3e-3, .warmup_steps = 20, .decay = curvecast::ReportedSchedule::Decay::kCosine};
  curvecast::Reporter reporter(run, {.address = address});
  for (int64_t step = 1; step <= total_steps; ++step) {
    const double loss = 2 + 3 / std::sqrt(static_cast<double>(step));  // Your training step stands here.
    reporter.Log(step, "train/loss", loss);
  }
  reporter.Finish(curvecast::RunEnd::kCompleted);

  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(total_steps));
}

// The link by itself, with its warnings gathered.
class LinkTest : public ::testing::Test {
 protected:
  LinkOptions Options(const std::string& address) {
    LinkOptions options;
    options.address = address;
    options.first_incarnation = 5;
    options.limits.max_points_per_batch = 10;
    options.flush_interval = milliseconds(5);
    options.first_backoff = milliseconds(5);
    options.last_backoff = milliseconds(50);
    options.warn = [this](const std::string& text) {
      const std::lock_guard<std::mutex> lock(mutex_);
      warnings_.push_back(text);
      warned_.notify_all();
    };
    return options;
  }
  v1::Run Run() {
    v1::Run run;
    run.set_project("p");
    run.set_run_id("r");
    return run;
  }
  bool WaitForWarnings(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return warned_.wait_for(lock, seconds(30), [&] { return warnings_.size() >= count; });
  }
  std::vector<std::string> warnings() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return warnings_;
  }

  PointBuffer buffer_{"train/loss", 1000};

 private:
  std::mutex mutex_;
  std::condition_variable warned_;
  std::vector<std::string> warnings_;
};

TEST_F(LinkTest, ADaemonThatComesLateGetsEverythingAndThereAreTwoWarningsInAll) {
  int port = 0;
  {
    FakeIngest gone;
    port = gone.port();
  }
  Link link(Run(), Options("127.0.0.1:" + std::to_string(port)), buffer_);
  for (const int64_t step : UpTo(300)) buffer_.Append(step, "train/loss", 1);
  ASSERT_TRUE(WaitForWarnings(1));
  FakeIngest daemon(nullptr, port);
  ASSERT_TRUE(WaitForWarnings(2));
  buffer_.Close();
  link.Close(v1::Run::FAILED);
  EXPECT_TRUE(link.WaitUntilSettled(seconds(30)));
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss"), UpTo(300));
  ASSERT_EQ(warnings().size(), 2u);
  EXPECT_THAT(warnings()[0], HasSubstr("cannot reach curvecastd at 127.0.0.1:"));
  EXPECT_THAT(warnings()[1], HasSubstr("is back"));
}

TEST_F(LinkTest, WhatOverflowedBeforeTheFirstOpenStillSaysWhereTheProcessResumed) {
  // The buffer holds 1000, and of these none may be thinned out.
  for (int64_t step = 81; step <= 2000; ++step) buffer_.Append(step, "train/loss", NAN);
  FakeIngest daemon;
  Link link(Run(), Options(daemon.address()), buffer_);
  buffer_.Close();
  link.Close(v1::Run::COMPLETED);
  EXPECT_TRUE(link.WaitUntilSettled(seconds(30)));
  const Received received = daemon.received();
  EXPECT_EQ(FakeIngest::Steps(received, "train/loss").front(), 1001);
  EXPECT_EQ(received.opens.back().resume_step(), 81);
}

TEST_F(LinkTest, ANewerProcessStopsThisOneForGood) {
  FakeIngest daemon([](int, int, const v1::PushRequest&) {
    return Reply{Answer::kTake, Rejection(grpc::FAILED_PRECONDITION, 0), {}};
  });
  for (const int64_t step : UpTo(30)) buffer_.Append(step, "train/loss", 1);
  Link link(Run(), Options(daemon.address()), buffer_);
  EXPECT_FALSE(link.WaitUntilSettled(seconds(30)));
  ASSERT_TRUE(WaitForWarnings(1));
  EXPECT_THAT(warnings()[0], HasSubstr("a newer process has taken over"));
  EXPECT_FALSE(buffer_.Append(31, "train/loss", 1));
  EXPECT_EQ(buffer_.counts().dropped, 31u);
}

TEST_F(LinkTest, ARunThatIsRefusedIsReportedOnceWithTheReason) {
  FakeIngest daemon([](int, int, const v1::PushRequest&) {
    return Reply{Answer::kTake, Rejection(grpc::INVALID_ARGUMENT, 0), {}};
  });
  Link link(Run(), Options(daemon.address()), buffer_);
  EXPECT_FALSE(link.WaitUntilSettled(seconds(30)));
  ASSERT_EQ(warnings().size(), 1u);
  EXPECT_THAT(warnings()[0], HasSubstr("refuses the run: batch.points[0].metric: not today"));
}

TEST_F(LinkTest, AnAnswerThatNeverComesCountsAsABrokenStream) {
  FakeIngest daemon([](int stream, int, const v1::PushRequest& request) {
    return Reply{stream == 0 && request.has_batch() ? Answer::kIgnore : Answer::kTake, {}, {}};
  });
  LinkOptions options = Options(daemon.address());
  options.answer_timeout = milliseconds(300);
  Link link(Run(), options, buffer_);
  for (const int64_t step : UpTo(30)) buffer_.Append(step, "train/loss", 1);
  EXPECT_TRUE(daemon.WaitFor([](const Received& r) { return FakeIngest::Steps(r, "train/loss").size() == 30; }));
  EXPECT_GE(daemon.received().streams, 2);
}

TEST_F(LinkTest, ASilentPeerIsLeftBehindTogetherWithItsConnection) {
  FakeIngest daemon([](int stream, int, const v1::PushRequest&) {
    return Reply{stream == 0 ? Answer::kIgnore : Answer::kTake, {}, {}};
  });
  LinkOptions options = Options(daemon.address());
  options.answer_timeout = milliseconds(300);
  Link link(Run(), options, buffer_);
  ASSERT_TRUE(daemon.WaitFor([](const Received& r) { return r.streams >= 2; }));
  const std::vector<std::string> peers = daemon.received().peers;
  EXPECT_NE(peers[0], peers[1]) << "the connection to a lost host would be as dead for the next call";
}

TEST(BackoffTest, TheWaitDoublesToItsCapWithJitterAndStartsAgainAfterAReset) {
  Backoff backoff(milliseconds(100), milliseconds(1000), 1);
  for (const int most : {100, 200, 400, 800, 1000, 1000}) {
    const milliseconds wait = backoff.Next();
    EXPECT_GE(wait.count(), most / 2);
    EXPECT_LE(wait.count(), most);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 100);
}

}  // namespace
}  // namespace curvecast
