#include "daemon/loop/fit_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using testing::AkinLosses;
using testing::Batch;
using testing::FinishedRun;
using testing::Key;
using testing::Open;

constexpr int64_t kSecond = 1'000'000;

// Real fitters work on what was planned; a round waits until they are done.
class FitPlannerTest : public ::testing::Test {
 protected:
  void Apply(const Event& event) {
    const auto effect = engine_.Apply(event);
    ASSERT_TRUE(effect.ok());
    planner_.Note(event.key);
    for (const PastKey& key : effect->changed_pasts) planner_.NotePast(key);
  }
  void Finish(const std::string& id) {
    for (const Event& event : FinishedRun(id, 1)) Apply(event);
  }
  void Begin(const std::string& id, Step newest = 200) {
    Apply(Open(1, "", id));
    Apply(Batch(1, {AkinLosses(1, 5, newest)}, 1, "", id));
  }
  // Orders once and takes all results in.
  std::vector<FitResult> Round(int64_t now) {
    planner_.OrderDue(engine_, now);
    std::vector<FitResult> results;
    while (planner_.in_flight() > 0) {
      for (Inbox::Item& item : inbox_.Drain(std::chrono::seconds(30))) {
        results.push_back(std::get<FitResult>(std::move(item)));
        planner_.Done(results.back().key);
      }
    }
    return results;
  }

  Engine engine_;
  Inbox inbox_{{}};
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  FitPool pool_{2, Prior::Shipped(), inbox_, metrics_};
  FitPlanner planner_{{}, pool_};
};

TEST_F(FitPlannerTest, ARunThatFinishesMakesTheLiveRunsOfItsProjectDue) {
  Begin("live");
  EXPECT_EQ(Round(kSecond).size(), 1u);
  EXPECT_EQ(Round(2 * kSecond).size(), 0u) << "no news";
  Finish("done");
  std::set<std::string> fitted;
  int leaning = 0;
  for (const FitResult& result : Round(4 * kSecond)) {
    fitted.insert(result.key.run_id);
    leaning += result.forecast.leaned.relatives;
  }
  EXPECT_EQ(fitted, (std::set<std::string>{"done", "live"}));
  EXPECT_EQ(leaning, 1) << "the live run leans on the finished one, which leans on nothing";
}

TEST_F(FitPlannerTest, APastThatChangesOftenIsLeanedOnNowAndThen) {
  Begin("live");
  Finish("a");
  EXPECT_EQ(Round(kSecond).size(), 2u);
  Finish("b");
  for (int64_t at : {2, 5, 10}) {
    for (const FitResult& result : Round(at * kSecond)) EXPECT_EQ(result.key.run_id, "b");
  }
  const std::vector<FitResult> later = Round(11 * kSecond);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].forecast.leaned.relatives, 2);
  EXPECT_EQ(Round(40 * kSecond).size(), 0u) << "and once";
}

TEST_F(FitPlannerTest, UntilThenARunWithNewsGoesOnWithWhatItLeanedOn) {
  Begin("live");
  Finish("a");
  Round(kSecond);
  Finish("b");
  Apply(Batch(2, {AkinLosses(1, 205, 400)}, 1, "", "live"));
  for (const FitResult& result : Round(3 * kSecond)) {
    if (result.key.run_id == "live") {
      EXPECT_EQ(result.forecast.step, 400);
      EXPECT_EQ(result.forecast.leaned.relatives, 1);
    }
  }
}

TEST_F(FitPlannerTest, ThousandLiveRunsDoNotLeanAnewAtOnce) {
  constexpr size_t kRuns = 1000;
  for (size_t i = 0; i < kRuns; ++i) Begin("r" + std::to_string(i));
  for (size_t fitted = 0; fitted < kRuns;) fitted += Round(kSecond).size();
  Finish("done");
  Apply(Batch(2, {AkinLosses(1, 205, 400)}, 1, "", "r7"));
  // One order: the run with news, the one that ended, and no more than may be out leaning.
  const std::vector<FitResult> first = Round(20 * kSecond);
  EXPECT_LE(first.size(), FitPlanner::kMaxLeaning + 1);
  EXPECT_TRUE(std::any_of(first.begin(), first.end(), [](const FitResult& r) { return r.key.run_id == "r7"; }));
  std::set<std::string> leaned;
  for (const FitResult& result : first) leaned.insert(result.key.run_id);
  for (int round = 0; round < 60 && leaned.size() < kRuns + 1; ++round) {
    for (const FitResult& result : Round(21 * kSecond)) {
      EXPECT_TRUE(leaned.insert(result.key.run_id).second) << "once each";
    }
  }
  EXPECT_EQ(leaned.size(), kRuns + 1) << "in the end all of them";
}

TEST_F(FitPlannerTest, RunsThatLeanForTheFirstTimeTakeTheRoomOfThoseThatLeanAnew) {
  constexpr size_t kRuns = FitPlanner::kMaxLeaning + 8;
  for (size_t i = 0; i < kRuns; ++i) Begin("old" + std::to_string(i));
  Finish("a");
  EXPECT_EQ(Round(kSecond).size(), kRuns + 1);
  Finish("b");
  for (size_t i = 0; i < kRuns; ++i) Begin("new" + std::to_string(i));
  const std::vector<FitResult> results = Round(20 * kSecond);
  EXPECT_EQ(results.size(), kRuns + 1) << "the new ones and b";
  for (const FitResult& result : results) EXPECT_NE(result.key.run_id.substr(0, 3), "old");
}

}  // namespace
}  // namespace curvecast
