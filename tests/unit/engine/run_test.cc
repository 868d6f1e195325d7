#include "core/engine/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/engine.h"
#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using testing::Batch;
using testing::Key;
using testing::Losses;
using testing::Open;

// Applies events and hands out the one run.
class RunTest : public ::testing::Test {
 protected:
  Engine::Effect Apply(const Event& event) {
    auto effect = engine_.Apply(event);
    EXPECT_TRUE(effect.ok()) << effect.status();
    return effect.value_or(Engine::Effect{});
  }
  const curvecast::Run& run() const { return *engine_.Find(Key()); }
  std::vector<Step> Steps() const {
    std::vector<Step> steps;
    for (const Bin& bin : run().objective().bins()) steps.push_back(bin.first_step);
    return steps;
  }

  Engine engine_;
};

TEST_F(RunTest, PointsOfABatchStandInTheCurve) {
  Apply(Open());
  EXPECT_EQ(Apply(Batch(1, {Losses({{1, 4.0}, {2, 3.0}})})).points, 2);
  EXPECT_THAT(Steps(), ::testing::ElementsAre(1, 2));
  EXPECT_DOUBLE_EQ(run().Progress(), 0.002);
}

TEST_F(RunTest, TheLikeliestMetricIsTheLoggedRateUnlessAScheduleIsDeclared) {
  Apply(Open());
  EXPECT_FALSE(run().LoggedRates().has_value());
  Apply(Batch(1, {Losses({{1, 4.0}}), Losses({{1, 0.1}}, "lr-AdamW"), Losses({{1, 0.2}}, "train/lr"),
                  Losses({{1, 0.3}}, "optim/lr")}));
  ASSERT_TRUE(run().LoggedRates().has_value());
  EXPECT_EQ(run().LoggedRates()->metric, "optim/lr") << "of two as likely the first by name";
  EXPECT_EQ(run().LoggedRates()->curve.last_value(), 0.3);
  curvecast::Run* run_to_show = engine_.FindMutable(Key());
  EXPECT_TRUE(run_to_show->ShowInferred("flat"));
  EXPECT_FALSE(run_to_show->ShowInferred("flat")) << "no news";
  EXPECT_EQ(run().View()->inferred_schedule, "flat");

  Event declared = Open(2);
  std::get<RunOpened>(declared.body).spec.schedule = ScheduleSpec{.peak_lr = 1};
  Apply(declared);
  EXPECT_FALSE(run().LoggedRates().has_value());
  EXPECT_FALSE(run_to_show->ShowInferred("late"));
  EXPECT_EQ(run().View()->inferred_schedule, "");
}

TEST_F(RunTest, ABatchThatComesTwiceCountsOnce) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}})}));
  const Engine::Effect again = Apply(Batch(1, {Losses({{1, 4.0}})}));
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(run().objective().points(), 1);
}

TEST_F(RunTest, AGapInTheSequenceIsAccepted) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}})}));
  EXPECT_FALSE(Apply(Batch(5, {Losses({{2, 3.0}})})).duplicate);
  EXPECT_TRUE(Apply(Batch(3, {Losses({{3, 2.0}})})).duplicate);
}

TEST_F(RunTest, ANewLifeOfThePrimaryWriterRewindsToTheLowestStepOfItsFirstBatch) {
  Apply(Open());
  Apply(Batch(1, {Losses({{80, 4.0}, {90, 3.0}, {100, 2.0}}), Losses({{95, 1.0}}, "eval/loss")}));
  Apply(Open(2));
  EXPECT_EQ(run().objective().points(), 3) << "nothing goes before the new life has something to say";
  EXPECT_TRUE(Apply(Batch(1, {Losses({{82, 3.9}, {81, 3.8}})}, 2)).rewound);
  EXPECT_THAT(Steps(), ::testing::ElementsAre(80, 81, 82));
  EXPECT_EQ(run().rewind_count(), 1);
  EXPECT_TRUE(run().FindCurve("eval/loss")->empty()) << "a rewind holds for every metric";
  ASSERT_EQ(run().branches().size(), 1u);
  EXPECT_EQ(run().branches()[0].rewound_to, 81);
  EXPECT_EQ(run().branches()[0].bins.size(), 2u);
}

TEST_F(RunTest, AnExplicitResumeStepWins) {
  Apply(Open());
  Apply(Batch(1, {Losses({{80, 4.0}, {90, 3.0}, {100, 2.0}})}));
  Apply(Open(2, "", "r1", 90));
  Apply(Batch(1, {Losses({{95, 2.5}})}, 2));
  EXPECT_THAT(Steps(), ::testing::ElementsAre(80, 95));
}

TEST_F(RunTest, ARestartThatGoesOnWhereItWasIsNoRewind) {
  Apply(Open());
  Apply(Batch(1, {Losses({{80, 4.0}})}));
  Apply(Open(2));
  EXPECT_FALSE(Apply(Batch(1, {Losses({{81, 3.9}})}, 2)).rewound);
  EXPECT_EQ(run().rewind_count(), 0);
}

TEST_F(RunTest, ABatchOfAFormerLifeChangesNothing) {
  Apply(Open());
  Apply(Open(2));
  EXPECT_TRUE(Apply(Batch(7, {Losses({{1, 4.0}})}, 1)).duplicate);
  EXPECT_TRUE(run().objective().empty());
}

TEST_F(RunTest, AWriterRewindsItsOwnMetricsAndNoOthers) {
  Apply(Open());
  Apply(Batch(1, {Losses({{80, 4.0}, {90, 3.0}})}));
  Apply(Open(1, "rank1"));
  Apply(Batch(1, {Losses({{80, 7.0}, {90, 7.0}}, "rank1/loss")}, 1, "rank1"));
  // Both restart from 80; the rank is first to say so, and what it has said must survive the primary's rewind.
  Apply(Open(2));
  Apply(Open(2, "rank1"));
  Apply(Batch(1, {Losses({{81, 6.0}, {82, 6.0}}, "rank1/loss")}, 2, "rank1"));
  EXPECT_EQ(run().objective().points(), 2) << "the rank rewinds nothing of the primary's";
  EXPECT_EQ(run().rewind_count(), 0);
  Apply(Batch(1, {Losses({{81, 3.5}})}, 2));
  EXPECT_THAT(Steps(), ::testing::ElementsAre(80, 81));
  EXPECT_EQ(run().FindCurve("rank1/loss")->points(), 3) << "80, 81 and 82, each once";
  EXPECT_EQ(run().rewind_count(), 1);
}

TEST_F(RunTest, AnEvaluationAtStep0AfterARestartDoesNotSupersedeTheRun) {
  Apply(Open());
  Apply(Batch(1, {Losses({{4000, 4.0}, {5000, 3.0}, {6000, 2.0}})}));
  Apply(Open(2));
  Apply(Batch(1, {Losses({{0, 9.0}}, "eval/loss")}, 2));
  EXPECT_TRUE(run().rewind_pending());
  EXPECT_EQ(run().objective().points(), 3);
  Apply(Batch(2, {Losses({{0, 9.0}}, "eval/loss"), Losses({{5001, 2.9}})}, 2));
  EXPECT_THAT(Steps(), ::testing::ElementsAre(4000, 5000, 5001));
  EXPECT_FALSE(run().rewind_pending());
}

TEST_F(RunTest, APrimaryThatComesAfterItsRanksDoesNotRewindThem) {
  Apply(Open(1, "rank1"));
  Apply(Batch(1, {Losses({{90, 7.0}}, "rank1/loss")}, 1, "rank1"));
  Apply(Open());
  EXPECT_FALSE(Apply(Batch(1, {Losses({{1, 4.0}})})).rewound);
  EXPECT_EQ(run().FindCurve("rank1/loss")->points(), 1);
}

TEST_F(RunTest, AnEndedRunIsTakenUpAgainByANewLife) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}})}, 1, "", "r1", RunState::kFailed));
  EXPECT_EQ(run().state(), RunState::kFailed);
  EXPECT_NE(run().View()->ended_at_unix_micros, 0);
  Apply(Open(2));
  EXPECT_EQ(run().state(), RunState::kFailed) << "an open alone is no sign of life";
  Apply(Batch(1, {Losses({{2, 3.0}})}, 2));
  EXPECT_EQ(run().state(), RunState::kRunning);
  EXPECT_EQ(run().View()->ended_at_unix_micros, 0);
}

TEST_F(RunTest, NonFinitePointsAreShownAndCounted) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}, {2, std::numeric_limits<double>::quiet_NaN()}})}));
  const auto view = run().View();
  ASSERT_EQ(view->metrics.size(), 1u);
  EXPECT_EQ(view->metrics[0].points, 1);
  EXPECT_EQ(view->metrics[0].non_finite_points, 1);
  EXPECT_EQ(view->step, 2);
  EXPECT_FALSE(std::isfinite(*view->value));
}

Forecast At(Step step, double progress) {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = step;
  forecast.progress = progress;
  forecast.path = {{step, 1, 2, 3}};
  return forecast;
}

TEST_F(RunTest, OneForecastPerCentOfProgressIsKept) {
  Apply(Open());
  Apply(Batch(1, {Losses({{205, 4.0}})}));
  EXPECT_TRUE(run().AtCheckpoint(At(200, 0.2)));
  Apply({3, Key(), ForecastMade{At(200, 0.2)}});
  EXPECT_FALSE(run().AtCheckpoint(At(205, 0.205)));
  EXPECT_TRUE(run().AtCheckpoint(At(210, 0.21)));
  ASSERT_EQ(run().View()->history->size(), 1u);
  EXPECT_TRUE(run().View()->history->at(0).path.empty()) << "history is kept without paths";
  EXPECT_FALSE(run().View()->forecast->path.empty());
}

TEST_F(RunTest, ARewindTakesBackTheForecastsOfTheBranch) {
  Apply(Open());
  Apply(Batch(1, {Losses({{100, 4.0}, {300, 3.0}})}));
  Apply({3, Key(), ForecastMade{At(100, 0.1)}});
  Apply({3, Key(), ForecastMade{At(300, 0.3)}});
  Apply(Open(2));
  Apply(Batch(1, {Losses({{200, 3.5}})}, 2));
  ASSERT_EQ(run().View()->history->size(), 1u);
  EXPECT_EQ(run().View()->forecast, nullptr);
  Apply({3, Key(), ForecastMade{At(300, 0.3)}});
  EXPECT_EQ(run().View()->forecast, nullptr) << "made from the branch, come late";
}

TEST_F(RunTest, BranchesAndRewindsAreBounded) {
  Apply(Open());
  Apply(Batch(1, {Losses({{1, 4.0}, {2, 3.0}})}));
  for (uint64_t life = 2; life < 50; ++life) {
    Apply(Open(life));
    Apply(Batch(1, {Losses({{2, 3.0}})}, life));
  }
  EXPECT_EQ(run().rewind_count(), 48);
  EXPECT_EQ(run().branches().size(), curvecast::Run::kMaxBranches);
  EXPECT_EQ(run().View()->rewinds.size(), curvecast::Run::kMaxRewindsListed);
}

}  // namespace
}  // namespace curvecast
