#include "client/cli/picture/picture_of_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace curvecast {
namespace {

using ::testing::ElementsAre;

v1::Forecast Told(int64_t step, double expected, double median) {
  v1::Forecast forecast;
  forecast.set_status(v1::Forecast::OK);
  forecast.set_step(step);
  forecast.set_expected_value(expected);
  for (const char* level : {"0.05", "0.5", "0.95"}) (*forecast.mutable_quantiles())[level] = median;
  return forecast;
}

v1::GetRunResponse RunningRun() {
  v1::GetRunResponse answer;
  v1::Run& run = *answer.mutable_run()->mutable_run();
  run.set_project("demo");
  run.set_run_id("a");
  run.set_objective("loss");
  run.set_total_steps(1000);
  run.mutable_schedule()->set_peak_lr(0.01);
  run.mutable_schedule()->set_warmup_steps(100);
  run.mutable_schedule()->set_decay(v1::Schedule::LINEAR);
  answer.mutable_run()->set_state(v1::Run::RUNNING);
  answer.mutable_run()->set_step(500);
  *answer.mutable_run()->mutable_forecast() = Told(500, 2.1, 2.0);
  v1::ForecastPoint& point = *answer.mutable_run()->mutable_forecast()->add_path();
  point.set_step(1000);
  point.set_p05(1.9);
  point.set_p50(2.0);
  point.set_p95(2.1);
  return answer;
}

v1::GetCurveResponse Curve(const std::string& metric) {
  v1::GetCurveResponse curve;
  curve.set_metric(metric);
  for (const int step : {100, 300, 500}) {
    curve.add_step(step);
    curve.add_value(2 + 100.0 / step);
    curve.add_stddev(0.1);
  }
  return curve;
}

std::vector<double> Steps(const std::vector<PicturePoint>& points) {
  std::vector<double> steps;
  for (const PicturePoint& p : points) steps.push_back(p.step);
  return steps;
}

TEST(PictureOfAnswersTest, TheLawIsWhatForecastsExpectedOfTheirOwnStep) {
  v1::GetRunResponse run = RunningRun();
  *run.add_history() = Told(200, 2.5, 2.2);
  *run.add_history() = Told(300, 0, 2.2);  // From a journal that did not keep it.
  *run.add_history() = Told(400, 2.2, 2.1);
  const RunPicture picture = PictureOf(run, Curve("loss"), 0);
  EXPECT_EQ(picture.name, "demo/a");
  EXPECT_THAT(Steps(picture.curve), ElementsAre(100, 300, 500));
  EXPECT_EQ(picture.curve[0].spread, 0.1);
  EXPECT_THAT(Steps(picture.expected), ElementsAre(200, 400, 500));
  EXPECT_THAT(Steps(picture.past_forecasts), ElementsAre(200, 300, 400, 500));
  ASSERT_EQ(picture.forecast.size(), 1u);
  EXPECT_EQ(picture.forecast[0].high, 2.1);
  EXPECT_EQ(picture.forecast_text, "Forecast of loss at step 1000: 2.000, 90 % interval [2.000, 2.000]");
  EXPECT_THAT(picture.facts, ElementsAre("running", "step 500 of 1000 (0 %)"));
}

TEST(PictureOfAnswersTest, WhatWasForecastOnABranchThatIsGoneIsLeftOut) {
  v1::GetRunResponse run = RunningRun();
  for (const int64_t step : {200, 600, 700, 300, 400}) *run.add_history() = Told(step, 2.5, 2.2);
  v1::GetCurveResponse curve = Curve("loss");
  curve.add_superseded();
  v1::Branch& branch = *curve.add_superseded();
  branch.add_step(600);
  branch.add_value(3);
  const RunPicture picture = PictureOf(run, curve, 0);
  EXPECT_THAT(Steps(picture.expected), ElementsAre(200, 300, 400, 500));
  ASSERT_EQ(picture.superseded.size(), 1u);
  EXPECT_EQ(picture.superseded[0][0].value, 3);
}

TEST(PictureOfAnswersTest, ANewestValueThatIsNoNumberIsOfTheCurve) {
  v1::GetRunResponse run = RunningRun();
  v1::MetricSummary& metric = *run.add_metrics();
  metric.set_metric("loss");
  metric.set_last_step(505);
  metric.set_last_value(NAN);
  EXPECT_THAT(Steps(PictureOf(run, Curve("loss"), 0).curve), ElementsAre(100, 300, 500, 505));
}

TEST(PictureOfAnswersTest, AnotherMetricOrACompletedRunHasNoForecast) {
  v1::GetRunResponse run = RunningRun();
  const RunPicture other = PictureOf(run, Curve("eval"), 0);
  EXPECT_TRUE(other.expected.empty() && other.forecast.empty() && other.past_forecasts.empty());
  EXPECT_EQ(other.metric, "eval");
  run.mutable_run()->set_state(v1::Run::COMPLETED);
  const RunPicture completed = PictureOf(run, Curve("loss"), 0);
  EXPECT_TRUE(completed.forecast.empty());
  EXPECT_FALSE(completed.expected.empty());
}

TEST(PictureOfAnswersTest, TheDeclaredScheduleIsDrawnFromItsStartToItsEnd) {
  v1::GetRunResponse run = RunningRun();
  const RunPicture picture = PictureOf(run, Curve("loss"), 0);
  ASSERT_FALSE(picture.schedule.empty());
  EXPECT_EQ(picture.schedule.front().step, 0);
  EXPECT_EQ(picture.schedule.back().step, 1000);
  EXPECT_EQ(picture.schedule.back().rate, 0);
  EXPECT_EQ(picture.schedule_text, "100 warm-up steps, linear, 0.01000 to 0");
  run.mutable_run()->mutable_run()->clear_total_steps();
  EXPECT_TRUE(PictureOf(run, Curve("loss"), 0).schedule.empty()) << "it decays to an end that is not known";
}

TEST(PictureOfAnswersTest, AFlagKeepsItsNumbersAndWhatPeopleSaid) {
  v1::GetRunResponse run = RunningRun();
  v1::Flag& flag = *run.add_flags();
  flag.set_number(7);
  flag.set_kind(v1::Flag::TOO_GOOD);
  flag.set_severity(v1::Flag::CRITICAL);
  flag.set_metric("loss");
  flag.set_began_step(200);
  flag.set_updated_at_step(300);
  flag.set_resolution(v1::Flag::ACCEPTED);
  flag.mutable_acknowledged_at()->set_seconds(1);
  flag.set_acknowledged_by("ada");
  const RunPicture picture = PictureOf(run, Curve("loss"), 0);
  ASSERT_EQ(picture.flags.size(), 1u);
  EXPECT_EQ(picture.flags[0].number, 7);
  EXPECT_EQ(picture.flags[0].flag.kind, FlagKind::kTooGood);
  EXPECT_EQ(picture.flags[0].flag.severity, Severity::kCritical);
  EXPECT_EQ(picture.flags[0].flag.resolution, Resolution::kAccepted);
  EXPECT_EQ(picture.flags[0].flag.updated_step, 300);
  EXPECT_EQ(picture.flags[0].note, "acknowledged by ada");
}

}  // namespace
}  // namespace curvecast
