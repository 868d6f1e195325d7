#include "daemon/loop/fit_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>

#include "core/engine/engine.h"
#include "tests/unit/engine/finished_runs.h"

namespace curvecast {
namespace {

using Answer = absl::StatusOr<std::vector<Forecast>>;

class FitPoolTest : public ::testing::Test {
 protected:
  static Curve PowerLaw() {
    Curve curve;
    for (Step step = 1; step <= 200; ++step) curve.Add(step, std::pow(static_cast<double>(step), -0.1));
    return curve;
  }
  static Plan Until(Step total_steps) {
    Plan plan;
    plan.total_steps = total_steps;
    plan.schedule = LrSchedule::Constant();
    return plan;
  }
  ForecastOrder Order(std::vector<Step> totals) {
    auto promise = std::make_shared<std::promise<Answer>>();
    answers_.push_back(promise->get_future());
    std::vector<Plan> plans;
    for (Step total : totals) plans.push_back(Until(total));
    return {std::make_shared<RunSpec>(), PowerLaw(), std::move(plans), nullptr,
            [promise](Answer answer) { promise->set_value(std::move(answer)); }};
  }

  Inbox inbox_{{}};
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  std::vector<std::future<Answer>> answers_;
};

TEST_F(FitPoolTest, AnOrderIsForecastUnderEachOfItsPlans) {
  FitPool pool(1, Prior::Shipped(), inbox_, metrics_);
  pool.Submit(Order({400, 2000}));
  const Answer answer = answers_[0].get();
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->size(), 2u);
  EXPECT_EQ((*answer)[0].progress, 0.5);
  EXPECT_EQ((*answer)[1].progress, 0.1);
  EXPECT_LT((*answer)[1].median(), (*answer)[0].median());
  EXPECT_EQ(metrics_.fits.Value(), 2);
}

TEST_F(FitPoolTest, OrdersPastTheLimitAreRefusedAtOnceAndLeaveRoomForTasks) {
  FitPool pool(0, Prior::Shipped(), inbox_, metrics_);  // Nobody works, so all of them wait.
  for (size_t i = 0; i <= FitPool::kMaxOrders; ++i) pool.Submit(Order({400}));
  EXPECT_TRUE(absl::IsResourceExhausted(answers_.back().get().status()));
  for (size_t i = 0; i < FitPool::kMaxWaiting; ++i) EXPECT_TRUE(pool.Submit(FitTask{}));
  EXPECT_FALSE(pool.Submit(FitTask{})) << "and so have tasks a limit of their own";
}

TEST_F(FitPoolTest, ATaskTellsWhatTheLoggedRatesSay) {
  auto spec = std::make_shared<RunSpec>();
  spec->total_steps = 400;
  RateLog rates{"lr", {}};
  for (Step step = 1; step <= 200; ++step) rates.curve.Add(step, 1 - static_cast<double>(step) / 400);
  FitPool pool(1, Prior::Shipped(), inbox_, metrics_);
  EXPECT_TRUE(pool.Submit(FitTask{.spec = spec, .curve = PowerLaw(), .rates = rates, .past = nullptr}));
  const std::vector<Inbox::Item> items = inbox_.Drain(std::chrono::seconds(30));
  ASSERT_EQ(items.size(), 1u);
  const FitResult& result = std::get<FitResult>(items[0]);
  EXPECT_THAT(result.inferred_schedule, ::testing::StartsWith("lr: linear, "));
  EXPECT_THAT(result.inferred_schedule, ::testing::EndsWith(" to 0"));
  EXPECT_EQ(result.forecast.progress, 0.5);
}

TEST_F(FitPoolTest, WhoeverWaitsWhenThePoolEndsIsTold) {
  { FitPool(0, Prior::Shipped(), inbox_, metrics_).Submit(Order({400})); }
  EXPECT_TRUE(absl::IsUnavailable(answers_[0].get().status()));
}

// Three finished siblings and the first part of a fourth run.
class LeaningPoolTest : public FitPoolTest {
 protected:
  LeaningPoolTest() {
    for (const auto& [id, level] : {std::pair{"a", 1.0}, std::pair{"b", 1.02}, std::pair{"c", 0.98}}) Finish(id, level);
    for (Step step = 5; step <= 200; step += 5) curve_.Add(step, testing::AkinLoss(step, 1.01));
  }
  void Finish(const std::string& id, double level) {
    for (const Event& event : testing::FinishedRun(id, level)) EXPECT_TRUE(engine_.Apply(event).ok());
  }
  std::shared_ptr<const ProjectPast> Past() const { return engine_.Past({"p", "train/loss"}); }
  Forecast Fit(FitPool& pool, std::shared_ptr<const ProjectPast> past, bool renew) {
    EXPECT_TRUE(pool.Submit(FitTask{spec_, curve_, std::nullopt, 0, std::move(past), renew}));
    const std::vector<Inbox::Item> items = inbox_.Drain(std::chrono::seconds(30));
    return std::get<FitResult>(items.at(0)).forecast;
  }

  const std::shared_ptr<const RunSpec> spec_ = std::make_shared<RunSpec>(testing::Spec("new"));
  Curve curve_;
  Engine engine_;
};

TEST_F(LeaningPoolTest, WithSiblingsAForecastIsNearerAndNarrower) {
  FitPool pool(1, Prior::Shipped(), inbox_, metrics_);
  const Forecast alone = Fit(pool, nullptr, true), leaning = Fit(pool, Past(), true);
  ASSERT_TRUE(alone.answered());
  ASSERT_TRUE(leaning.answered());
  EXPECT_EQ(alone.leaned.relatives, 0);
  EXPECT_EQ(leaning.leaned.relatives, 3);
  EXPECT_EQ(leaning.leaned.siblings, 3);
  EXPECT_GT(leaning.leaned.factor, 0);
  const double truth = testing::AkinLoss(1000, 1.01);
  EXPECT_LT(std::abs(leaning.median() - truth), std::abs(alone.median() - truth));
  EXPECT_LT(leaning.quantiles[4] - leaning.quantiles[0], 0.7 * (alone.quantiles[4] - alone.quantiles[0]));
  EXPECT_NEAR(leaning.median() / truth, 1, 0.01);
}

TEST_F(LeaningPoolTest, WhatARunLeansOnIsKeptUntilItIsToBeRenewed) {
  FitPool pool(1, Prior::Shipped(), inbox_, metrics_);
  EXPECT_EQ(Fit(pool, Past(), false).leaned.relatives, 3) << "nothing is kept yet";
  Finish("d", 1.03);
  EXPECT_EQ(Fit(pool, Past(), false).leaned.relatives, 3);
  EXPECT_EQ(Fit(pool, Past(), true).leaned.relatives, 4);
}

TEST_F(LeaningPoolTest, WhatIfLeansToo) {
  FitPool pool(1, Prior::Shipped(), inbox_, metrics_);
  const Forecast shown = Fit(pool, Past(), true);
  std::promise<Answer> promise;
  pool.Submit(ForecastOrder{
      spec_, curve_, {MakePlan(*spec_)}, Past(), [&promise](Answer answer) { promise.set_value(std::move(answer)); }});
  const Answer answer = promise.get_future().get();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)[0].quantiles, shown.quantiles);
  EXPECT_EQ((*answer)[0].leaned.relatives, 3);
}

}  // namespace
}  // namespace curvecast
