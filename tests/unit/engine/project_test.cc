#include "core/engine/project.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/engine/engine.h"
#include "core/engine/leaning.h"
#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using testing::AkinLoss;
using testing::AkinLosses;
using testing::Batch;
using testing::FinishedRun;
using testing::Key;
using testing::Open;
using testing::Spec;

const PastKey kKey = {"p", "train/loss"};

class ProjectTest : public ::testing::Test {
 protected:
  bool Apply(const Event& event) {
    const auto effect = engine_.Apply(event);
    EXPECT_TRUE(effect.ok()) << effect.status();
    return !effect->changed_pasts.empty();
  }
  void Finish(const std::string& run_id, double level = 1, RunState end = RunState::kCompleted, Step newest = 1000) {
    for (const Event& event : FinishedRun(run_id, level, end, newest)) Apply(event);
  }
  std::vector<std::string> Relatives() const {
    std::vector<std::string> ids;
    const auto past = engine_.Past(kKey);
    if (past == nullptr) return ids;
    for (const Relative& relative : past->history.relatives()) ids.push_back(relative.descent.run_id);
    return ids;
  }
  using Ids = std::vector<std::string>;

  Engine engine_;
};

TEST_F(ProjectTest, FinishedRunsAreTakenUpInTheOrderInWhichTheyEnd) {
  EXPECT_EQ(engine_.Past(kKey), nullptr);
  Finish("b");
  Finish("a");
  EXPECT_EQ(Relatives(), (Ids{"b", "a"}));
  EXPECT_EQ(engine_.Past({"p", "eval/loss"}), nullptr);
  EXPECT_EQ(engine_.Past(kKey), engine_.Past(kKey)) << "shared until it changes";
}

TEST_F(ProjectTest, WhatFailedOrStoppedOrEndedEarlyIsNoRelative) {
  Finish("failed", 1, RunState::kFailed);
  Finish("stopped", 1, RunState::kStopped);
  Finish("early", 1, RunState::kCompleted, 900);
  EXPECT_EQ(Relatives(), Ids{});
}

TEST_F(ProjectTest, ARunWhoseJobComesBackLeavesUntilItEndsAgain) {
  Finish("a");
  Finish("b");
  EXPECT_TRUE(Apply(Open(2, "", "a")));
  EXPECT_EQ(Relatives(), Ids{"b"}) << "from the moment it is opened";
  EXPECT_FALSE(Apply(Batch(1, {AkinLosses(2, 805, 900)}, 2, "", "a")));
  EXPECT_EQ(Relatives(), Ids{"b"});
  EXPECT_TRUE(Apply(Batch(2, {AkinLosses(2, 905, 1000)}, 2, "", "a", RunState::kCompleted)));
  EXPECT_EQ(Relatives(), (Ids{"b", "a"})) << "as the newest";
  EXPECT_TRUE(Apply(Open(3, "", "b")));
  EXPECT_TRUE(Apply(Batch(1, {}, 3, "", "b", RunState::kCompleted))) << "it came back and had nothing left to do";
  EXPECT_EQ(Relatives(), (Ids{"a", "b"}));
}

TEST_F(ProjectTest, APointAfterTheEndIsTheRunGoingOn) {
  Finish("a");
  EXPECT_TRUE(Apply(Batch(2, {AkinLosses(1, 1005, 1005)}, 1, "", "a")));
  EXPECT_EQ(Relatives(), Ids{});
}

TEST_F(ProjectTest, WhatOtherRanksLogAfterTheEndChangesNothing) {
  Finish("a");
  EXPECT_TRUE(Apply(Open(1, "rank1", "a"))) << "declared anew, it is taken up anew";
  Column other = AkinLosses(1, 5, 1000);
  other.metric = "gpu";
  EXPECT_FALSE(Apply(Batch(1, {other}, 1, "rank1", "a")));
  EXPECT_EQ(Relatives(), Ids{"a"});
}

TEST_F(ProjectTest, ADeclarationThatMovesTheEndTakesTheRunOut) {
  Finish("a");
  Event event = Open(1, "", "a");
  std::get<RunOpened>(event.body).spec.total_steps = 2000;
  EXPECT_TRUE(Apply(event));
  EXPECT_EQ(Relatives(), Ids{});
}

TEST_F(ProjectTest, RunsOfAnotherObjectiveAreAnotherPast) {
  Finish("a");
  Event event = Open(1, "", "a");
  std::get<RunOpened>(event.body).spec.objective = "eval/loss";
  const auto effect = engine_.Apply(event);
  EXPECT_EQ(effect->changed_pasts, std::vector<PastKey>{kKey}) << "it has no point of its new objective";
  EXPECT_EQ(Relatives(), Ids{});
  Column evals = AkinLosses(1, 5, 1000);
  evals.metric = "eval/loss";
  Apply(Batch(2, {evals}, 1, "", "a", RunState::kCompleted));
  EXPECT_EQ(Relatives(), Ids{});
  EXPECT_EQ(engine_.Past({"p", "eval/loss"})->history.relatives().size(), 1u);
}

TEST_F(ProjectTest, ARunThatIsMaximisedLeansOnNoLosses) {
  Finish("a");
  RunSpec spec = Spec("new");
  spec.maximize = true;
  const auto past = engine_.Past(kKey);
  EXPECT_EQ(LeanOnPast(past.get(), spec, MakePlan(spec), 500, Prior::Shipped()).relatives, 0);
}

Forecast Made(double progress, double median, double half, LeanedOn leaned) {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.progress = progress;
  forecast.step = static_cast<Step>(1000 * progress);
  forecast.quantiles = {median / half, median, median, median, median * half};
  forecast.leaned = leaned;
  return forecast;
}

TEST_F(ProjectTest, OfARunsForecastsTheOneNearestToEachBucketCounts) {
  const RunMisses misses =
      MissesOf("a",
               {Made(0.16, 1, 1.1, {3, 1, 1.5}), Made(0.21, 1, 1.1, {3, 1, 1.5}), Made(0.5, 1, 1.1, {0, 0, 1}),
                Made(0.8, 1, 1.1, {3, 1, 0}), Made(1, 1, 1.1, {3, 1, 1})},
               1.21);
  int counted = 0;
  for (const auto& miss : misses.by_bucket) counted += miss.has_value() ? 1 : 0;
  EXPECT_EQ(counted, 2) << "neither the one whose factor is not known nor the one at the end";
  const auto& early = misses.by_bucket[BucketOf(0.2)];
  ASSERT_TRUE(early.has_value());
  EXPECT_EQ(early->progress, 0.21);
  EXPECT_EQ(early->support, Support::kKin);
  EXPECT_EQ(early->factor, 1.5);
  EXPECT_NEAR(early->miss, 2, 1e-9);
  EXPECT_EQ(misses.by_bucket[BucketOf(0.5)]->support, Support::kNone);
}

TEST_F(ProjectTest, TheEndIsTheMeanOfTheLastHundredth) {
  Curve curve;
  for (Step step = 1; step <= 200; ++step) curve.Add(step, step <= 198 ? 9 : static_cast<double>(step - 198));
  EXPECT_EQ(EndValue(curve, 200), 1.5);
  EXPECT_EQ(EndValue(curve, 100), 1.5) << "of the curve if that went on past its plan";
}

TEST_F(ProjectTest, WideMissesWidenTheIntervalsOfThoseThatComeAfter) {
  const Leaning before = LeanOnPast(nullptr, Spec("new"), MakePlan(Spec("new")), 500, Prior::Shipped());
  for (int i = 0; i < 40; ++i) {
    const std::string id = "r" + std::to_string(i);
    Apply(Open(1, "", id));
    Apply(Batch(1, {AkinLosses(1, 5, 500)}, 1, "", id));
    Apply({3, Key(id), ForecastMade{Made(0.5, 2 * AkinLoss(1000, 1), 1.1, {2, 2, 1})}});
    Apply(Batch(2, {AkinLosses(1, 505, 1000)}, 1, "", id, RunState::kCompleted));
  }
  const auto past = engine_.Past(kKey);
  const Leaning after = LeanOnPast(past.get(), Spec("new"), MakePlan(Spec("new")), 500, Prior::Shipped());
  EXPECT_EQ(after.relatives, 40);
  EXPECT_EQ(after.siblings, 40);
  EXPECT_EQ(past->misses[1].size(BucketOf(0.5)), 40u);
  EXPECT_GT(FactorAt(after.factors, 0.5), 3 * FactorAt(before.factors, 0.5));
  EXPECT_EQ(after.factors[BucketOf(0.1)], Prior::Shipped().Of(RateKind::kUnknown).factors[1][BucketOf(0.1)])
      << "where nothing was missed, as before";
  Apply(Open(2, "", "r0"));
  EXPECT_EQ(engine_.Past(kKey)->misses[1].size(BucketOf(0.5)), 39u) << "its misses leave with the run";
}

TEST_F(ProjectTest, TheSameEventsGiveTheSameBitsOfTheNextForecast) {
  std::vector<Event> events;
  for (const char* id : {"c", "a", "b"}) {
    for (const Event& event : FinishedRun(id, 1 + 0.05 * (id[0] - 'a'))) events.push_back(event);
  }
  events.push_back(Open(2, "", "a"));  // Out and in again.
  events.push_back(Batch(1, {AkinLosses(1, 805, 1000)}, 2, "", "a", RunState::kCompleted));
  events.push_back(Open(1, "", "new"));
  events.push_back(Batch(1, {AkinLosses(1.02, 5, 300)}, 1, "", "new"));
  const auto forecast = [&events] {
    Engine engine;
    for (const Event& event : events) EXPECT_TRUE(engine.Apply(event).ok());
    const curvecast::Run& run = *engine.Find(Key("new"));
    const Plan plan = MakePlan(run.spec());
    const auto past = engine.Past(kKey);
    const Leaning leaning = LeanOnPast(past.get(), run.spec(), plan, run.objective().last_step(), Prior::Shipped());
    return MakeForecast(run.objective(), plan, Prior::Shipped(), leaning);
  };
  const Forecast one = forecast(), two = forecast();
  ASSERT_TRUE(one.answered());
  EXPECT_EQ(one.leaned.relatives, 3);
  EXPECT_EQ(std::memcmp(one.quantiles.data(), two.quantiles.data(), sizeof(one.quantiles)), 0);
  EXPECT_EQ(one.expected_value, two.expected_value);
}

// A run of a project whose runs gain much as their rate falls to 0; from a step on it falls more slowly, by this part.
std::vector<Event> Annealed(const std::string& id, double level, Step from = 1000, double part = 0) {
  const auto at = [level](Step step) {
    return AkinLoss(step, level) + 0.6 * level * (1 - static_cast<double>(step) / 1000);
  };
  Event open = Open(1, "", id);
  ScheduleSpec& schedule = std::get<RunOpened>(open.body).spec.schedule.emplace();
  schedule.peak_lr = 0.01;
  schedule.decay = Decay::kLinear;
  Column losses = AkinLosses(level, 5, 1000);
  for (size_t i = 0; i < losses.steps.size(); ++i) {
    const Step step = losses.steps[i];
    losses.values[i] = at(step) + (step > from ? part * (at(from) - at(step)) : 0);
  }
  return {open, Batch(1, {losses}, 1, "", id, RunState::kCompleted)};
}

TEST_F(ProjectTest, TheWatchOfARunLeansOnTheFinishedRunsOfItsProject) {
  constexpr Step kFrom = 500;
  // When it is noticed that the curve leaves its law.
  const auto noticed = [](bool with_siblings, double part) {
    Engine engine;
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
      if (!with_siblings) break;
      for (const Event& event : Annealed(id, 1 + 0.02 * (id[0] - 'a'))) EXPECT_TRUE(engine.Apply(event).ok());
    }
    Step step = 1001;
    for (const Event& event : Annealed("new", 1.03, kFrom, part)) {
      const auto effect = engine.Apply(event);
      if (!effect.ok()) return Step{0};
      for (const FlagChange& change : effect->flag_changes) {
        const FlagKind kind = change.flag.kind;
        if (kind == FlagKind::kDrift || kind == FlagKind::kPlateau) step = std::min(step, change.flag.raised_step);
      }
    }
    return step;
  };
  EXPECT_EQ(noticed(false, 0), 1001);
  EXPECT_EQ(noticed(true, 0), 1001);
  const Step alone = noticed(false, 0.5), among_siblings = noticed(true, 0.5);
  EXPECT_GT(among_siblings, kFrom);
  EXPECT_LT(among_siblings, kFrom + 100);
  EXPECT_LT(among_siblings, alone) << "1001: not at all";
}

}  // namespace
}  // namespace curvecast
