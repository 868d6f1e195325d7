#include "daemon/loop/fit_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>

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
    return {PowerLaw(), std::move(plans), [promise](Answer answer) { promise->set_value(std::move(answer)); }};
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
  EXPECT_TRUE(pool.Submit(FitTask{spec, PowerLaw(), rates, 0}));
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

}  // namespace
}  // namespace curvecast
