#include "client/cli/forecast_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ForecastPageTest : public ::testing::Test {
 protected:
  ForecastPageTest() {
    run_.mutable_run()->set_project("demo");
    run_.mutable_run()->set_run_id("seed1");
    run_.mutable_run()->set_objective("train/loss");
    run_.mutable_run()->set_total_steps(1000);
    run_.mutable_run()->mutable_schedule()->set_peak_lr(0.01);
    run_.set_step(500);
    run_.set_progress(0.5);
    Fill(1000, 2.0, *answer_.mutable_declared());
    curve_.set_metric("train/loss");
    for (int step = 1; step <= 500; step += 10) {
      curve_.add_step(step);
      curve_.add_value(2 + 1.0 / step);
    }
  }

  static void Fill(int64_t end, double median, v1::PlannedForecast& planned) {
    planned.set_total_steps(end);
    v1::Forecast& forecast = *planned.mutable_forecast();
    forecast.set_status(v1::Forecast::OK);
    (*forecast.mutable_quantiles())["0.05"] = median - 0.05;
    (*forecast.mutable_quantiles())["0.5"] = median;
    (*forecast.mutable_quantiles())["0.95"] = median + 0.05;
    for (const int64_t step : {int64_t{500}, end}) {
      v1::ForecastPoint& point = *forecast.add_path();
      point.set_step(step);
      point.set_p05(median - 0.05);
      point.set_p50(median);
      point.set_p95(median + 0.05);
    }
  }
  void Ask() {
    Fill(3000, 1.9, *answer_.mutable_what_if());
    answer_.mutable_what_if()->set_plan("held at 0.01 to step 3000");
  }
  std::string Page() const { return ForecastPage(run_, answer_, curve_, {80, 0, true, 0}); }

  v1::RunSummary run_;
  v1::ForecastRunResponse answer_;
  v1::GetCurveResponse curve_;
};

TEST_F(ForecastPageTest, TheEndAsAskedStandsBelowTheEndAsPlanned) {
  Ask();
  EXPECT_THAT(Page(), HasSubstr("demo/seed1  step 500 of 1000 (50 %)\n\n"
                                "             end  forecast  90 % interval  schedule\n"
                                "as planned  1000      2.00  [1.95, 2.05]   then constant at 0.01000\n"
                                "what if     3000      1.90  [1.85, 1.95]   held at 0.01 to step 3000\n\n"
                                "The median is 5.00 % lower than as planned.\n"));
}

TEST_F(ForecastPageTest, WhatIsDrawnIsThePathUnderThePlanAskedAboutToTheLaterEnd) {
  Ask();
  EXPECT_THAT(Page(), HasSubstr("train/loss   * curve  - forecast  . 90 % band\n"));
  const std::string axis = Page().substr(Page().rfind('+'));
  EXPECT_THAT(axis, HasSubstr(" 3000\n"));
  answer_.clear_what_if();
  EXPECT_THAT(Page().substr(Page().rfind('+')), HasSubstr(" 1000\n"));
}

TEST_F(ForecastPageTest, WithoutAQuestionThereIsOneRowAndNothingToCompare) {
  EXPECT_THAT(Page(), HasSubstr("as planned  1000"));
  EXPECT_THAT(Page(), Not(HasSubstr("what if")));
  EXPECT_THAT(Page(), Not(HasSubstr("median")));
}

TEST_F(ForecastPageTest, WhereThereIsNoAnswerTheReasonStands) {
  Ask();
  answer_.mutable_what_if()->mutable_forecast()->Clear();
  answer_.mutable_what_if()->mutable_forecast()->set_status(v1::Forecast::NOT_YET);
  answer_.mutable_what_if()->mutable_forecast()->set_reason("it is too early");
  EXPECT_THAT(Page(), HasSubstr("what if     3000         -  -              held at"));
  EXPECT_THAT(Page(), HasSubstr("No forecast yet under the plan asked about: it is too early.\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("than as planned")));
}

TEST_F(ForecastPageTest, SaysOnWhatTheForecastLeans) {
  Ask();
  answer_.mutable_what_if()->mutable_forecast()->set_relatives(2);
  EXPECT_THAT(Page(), HasSubstr("It leans on 2 finished runs of the project.\n"));
}

}  // namespace
}  // namespace curvecast
