#include <gtest/gtest.h>

#include "client/cpp/reporter.h"
#include "tests/unit/client/fake_ingest.h"

namespace curvecast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Received = FakeIngest::Received;

ReportedRun DemoRun() {
  ReportedRun run;
  run.project = "demo";
  run.run_id = "a";
  return run;
}

ReporterOptions To(const std::string& address) {
  ReporterOptions options;
  options.address = address;
  options.flush_interval = milliseconds(5);
  options.max_points_per_batch = 10;
  return options;
}

bool HasPhase(const Received& received) { return !received.batches.empty() && received.batches.back().has_phase(); }

TEST(ReporterPhaseTest, APhaseArrivesBehindItsPointsAndBeforeThoseThatEndIt) {
  FakeIngest daemon;
  Reporter reporter(DemoRun(), To(daemon.address()));
  for (int64_t step = 1; step <= 25; ++step) reporter.Log(step, "train/loss", 1);
  reporter.BeginPhase("eval", 2400);
  ASSERT_TRUE(daemon.WaitFor(HasPhase));
  const Received during = daemon.received();
  EXPECT_EQ(FakeIngest::Steps(during, "train/loss").size(), 25u);
  EXPECT_EQ(during.batches.back().phase().name(), "eval");
  EXPECT_EQ(during.batches.back().phase().max_seconds(), 2400);
  reporter.Log(26, "train/loss", 1);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  const Received after = daemon.received();
  EXPECT_EQ(FakeIngest::Steps(after, "train/loss").size(), 26u);
  for (size_t i = during.batches.size(); i < after.batches.size(); ++i) EXPECT_FALSE(after.batches[i].has_phase());
}

TEST(ReporterPhaseTest, APhaseThatIsDeclaredAndLeftOpenDoesNotHoldTheEndUp) {
  FakeIngest daemon;
  Reporter reporter(DemoRun(), To(daemon.address()));
  reporter.Log(1, "train/loss", 1);
  reporter.BeginPhase("save", 60);
  EXPECT_TRUE(reporter.Finish(RunEnd::kCompleted, seconds(30)));
  EXPECT_EQ(daemon.received().batches.back().end().state(), v1::Run::COMPLETED);
}

TEST(ReporterPhaseTest, PhasesWithoutADaemonNeitherBlockNorPileUp) {
  const std::string nobody = FakeIngest().address();
  const auto start = std::chrono::steady_clock::now();
  {
    ReporterOptions options = To(nobody);
    options.close_timeout = milliseconds(50);
    Reporter reporter(DemoRun(), options);
    for (int i = 0; i < 100'000; ++i) reporter.BeginPhase("eval", 60);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
}

}  // namespace
}  // namespace curvecast
