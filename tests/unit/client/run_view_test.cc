#include "client/cli/run_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "tests/unit/client/flags.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

v1::Forecast ForecastAt(double progress, double median) {
  v1::Forecast forecast;
  forecast.set_status(v1::Forecast::OK);
  forecast.set_progress(progress);
  forecast.set_step(static_cast<int64_t>(progress * 1000));
  (*forecast.mutable_quantiles())["0.05"] = median - 0.05;
  (*forecast.mutable_quantiles())["0.5"] = median;
  (*forecast.mutable_quantiles())["0.95"] = median + 0.05;
  return forecast;
}

v1::RunSummary Summary(v1::Run::State state) {
  v1::RunSummary run;
  run.mutable_run()->set_project("demo");
  run.mutable_run()->set_run_id("seed1");
  run.mutable_run()->set_family("demo/small");
  run.mutable_run()->set_objective("train/loss");
  run.mutable_run()->set_total_steps(1000);
  run.mutable_run()->mutable_schedule()->set_peak_lr(0.01);
  run.mutable_run()->mutable_schedule()->set_final_lr(0.001);
  run.mutable_run()->mutable_schedule()->set_warmup_steps(50);
  run.mutable_run()->mutable_schedule()->set_decay(v1::Schedule::ONE_MINUS_SQRT);
  run.set_state(state);
  run.set_step(state == v1::Run::COMPLETED ? 1000 : 520);
  run.set_progress(state == v1::Run::COMPLETED ? 1 : 0.52);
  run.set_value(2.0);
  run.set_rewinds(1);
  run.mutable_last_point_at()->set_seconds(1000);
  *run.mutable_forecast() = ForecastAt(0.52, 1.9);
  return run;
}

ViewStyle Style(size_t width) { return {width, 0, true, 1090}; }

TEST(RunViewTest, TheListHasARowForEachRun) {
  v1::RunSummary bare;
  bare.mutable_run()->set_project("demo");
  bare.mutable_run()->set_run_id("new");
  bare.set_state(v1::Run::RUNNING);
  EXPECT_EQ(RunsText({Summary(v1::Run::RUNNING), bare}, Style(0)),
            "project  run    family      state    done  step   loss  forecast  90 % interval  age\n"
            "demo     seed1  demo/small  running  52 %   520  2.000      1.90  [1.85, 1.95]    1m\n"
            "demo     new    -           running     -     -      -         -  -                -\n");
  EXPECT_EQ(RunsText({}, Style(0)), "no runs\n");
}

TEST(RunViewTest, TheListHasAColumnForFlagsIfAnyRunHasOne) {
  v1::RunSummary flagged = Summary(v1::Run::RUNNING);
  *flagged.add_flags() = FlagOf(3, v1::Flag::DIVERGENCE, v1::Flag::CRITICAL, 300);
  *flagged.add_flags() = FlagOf(2, v1::Flag::DRIFT, v1::Flag::WARNING, 200);
  EXPECT_EQ(RunsText({flagged, Summary(v1::Run::RUNNING)}, Style(0)),
            "project  run    family      state    done  step   loss  forecast  90 % interval  age  flags\n"
            "demo     seed1  demo/small  running  52 %   520  2.000      1.90  [1.85, 1.95]    1m  DIVERGENCE +1\n"
            "demo     seed1  demo/small  running  52 %   520  2.000      1.90  [1.85, 1.95]    1m\n");
  EXPECT_THAT(NewsText(flagged), HasSubstr("  FLAG DIVERGENCE +1\n"));
}

TEST(RunViewTest, ARunShowsItsFlagsUnderItsNameAndWhatItsJobIsDoing) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  *answer.add_flags() = Resolved(FlagOf(1, v1::Flag::SPIKE, v1::Flag::WARNING, 100), v1::Flag::RECOVERED, 110);
  *answer.add_flags() = FlagOf(2, v1::Flag::DRIFT, v1::Flag::WARNING, 200);
  answer.mutable_run()->set_deviation_sigma(4.26);
  answer.mutable_run()->mutable_phase()->set_name("eval\n");
  answer.mutable_run()->mutable_phase()->set_max_seconds(2400);
  const std::string text = RunText(answer, {}, Style(80));
  EXPECT_THAT(text, StartsWith("demo/seed1  running\n  FLAG        #2 DRIFT WARNING since step 200: "));
  EXPECT_THAT(text, HasSubstr("\nFlags that are over, or that were seen:\n  #1 SPIKE WARNING step 100, "));
  EXPECT_THAT(text, HasSubstr("  deviation   +4.3 sigma of the law\n"));
  EXPECT_THAT(text, HasSubstr("  doing       eval?, at most 40m\n"));
  EXPECT_THAT(NewsText(answer.run()), HasSubstr("  doing eval?, at most 40m\n"));
}

TEST(RunViewTest, RowsPastTheTerminalAreCounted) {
  ViewStyle style = Style(80);
  style.max_rows = 2;
  const std::string text = RunsText(std::vector<v1::RunSummary>(5, Summary(v1::Run::RUNNING)), style);
  EXPECT_THAT(text, HasSubstr("and 3 more\n"));
}

TEST(RunViewTest, ARunUnderWayShowsItsFactsItsForecastAndItsCurve) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  answer.add_rewound_to_steps(81);
  *answer.add_history() = ForecastAt(0.2, 2.1);
  *answer.add_history() = ForecastAt(0.5, 1.95);
  v1::MetricSummary& metric = *answer.add_metrics();
  metric.set_metric("train/loss");
  metric.set_last_value(2);
  metric.set_non_finite_points(3);
  v1::ForecastPoint& p = *answer.mutable_run()->mutable_forecast()->add_path();
  p.set_step(1000);
  p.set_p05(1.85);
  p.set_p50(1.9);
  p.set_p95(1.95);
  v1::GetCurveResponse curve;
  curve.set_metric("train/loss");
  for (int step = 1; step <= 520; step += 10) {
    curve.add_step(step);
    curve.add_value(2 + 1.0 / step);
  }
  const std::string text = RunText(answer, curve, Style(80));
  EXPECT_THAT(text, HasSubstr("demo/seed1  running\n"));
  EXPECT_THAT(text, HasSubstr("  progress    step 520 of 1000 (52 %), rewound 1 time, last to step 81\n"));
  EXPECT_THAT(text, HasSubstr("  schedule    50 warm-up steps, one-minus-sqrt, 0.01000 to 0.001000\n"));
  EXPECT_THAT(text, HasSubstr("  metrics     train/loss 2.000 (3 not finite)\n"));
  EXPECT_THAT(text, HasSubstr("Forecast of train/loss at step 1000: 1.90, 90 % interval [1.85, 1.95]\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "What was forecast on the way:\n  at  step  forecast  90 % interval\n20 %   200      2.10  [2.05, 2.15]\n"));
  EXPECT_THAT(text, Not(HasSubstr("80 %")));
  EXPECT_THAT(text, HasSubstr("train/loss   * curve  - forecast  . 90 % band\n"));
}

TEST(RunViewTest, ARunWhoseObjectiveNeverCameSaysSoAndInventsNothing) {
  v1::GetRunResponse answer;
  answer.mutable_run()->mutable_run()->set_project("p");
  answer.mutable_run()->mutable_run()->set_run_id("r");
  answer.mutable_run()->mutable_run()->set_objective("train/loss");
  answer.mutable_run()->set_state(v1::Run::COMPLETED);
  answer.add_metrics()->set_metric("loss");
  const std::string text = RunText(answer, {}, Style(80));
  EXPECT_THAT(text, HasSubstr("No point of the objective train/loss has come; this run has loss."));
  EXPECT_THAT(text, HasSubstr("It is completed.\n"));
}

TEST(RunViewTest, ARunThatEndedInNaNSaysWhyThereIsNoForecast) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::COMPLETED);
  answer.mutable_run()->mutable_forecast()->set_status(v1::Forecast::NOT_YET);
  answer.mutable_run()->mutable_forecast()->set_reason("the newest point is not a finite number");
  EXPECT_THAT(RunText(answer, {}, Style(80)),
              HasSubstr("there is no forecast, the newest point is not a finite number\n"));
}

TEST(RunViewTest, ARunThatEndedShowsHowWrongItsForecastsWere) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::COMPLETED);
  *answer.add_history() = ForecastAt(0.2, 2.1);
  *answer.add_history() = ForecastAt(0.81, 1.99);
  v1::GetCurveResponse curve;
  curve.set_metric("train/loss");
  for (const auto& [step, value, count] : {std::tuple(980, 9.0, 5), std::tuple(992, 1.9, 2), std::tuple(999, 2.2, 1)}) {
    curve.add_step(step);
    curve.add_value(value);
    curve.add_count(count);
  }
  const std::string text = RunText(answer, curve, Style(80));
  EXPECT_THAT(text, HasSubstr("What was forecast on the way (it ended at 2.000, over its last 1 %):\n"));
  EXPECT_THAT(text, HasSubstr("20 %   200      2.10  [2.05, 2.15]   +5.00 %\n"));
  EXPECT_THAT(text, HasSubstr("80 %   810      1.99  [1.94, 2.04]   -0.50 %\n"));
  EXPECT_THAT(text, Not(HasSubstr("50 %  ")));
  EXPECT_THAT(text,
              HasSubstr("It is completed: train/loss 2.000 at step 1000; the newest forecast was 1.90 [1.85, 1.95]\n"));
}

TEST(RunViewTest, WhatTheLoggedRatesSayStandsWhereNoScheduleIsDeclared) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  answer.mutable_run()->mutable_run()->clear_schedule();
  EXPECT_THAT(RunText(answer, {}, Style(80)), HasSubstr("  schedule    none declared\n"));
  answer.mutable_run()->set_inferred_schedule("lr: linear, 0.01 to 0");
  EXPECT_THAT(RunText(answer, {}, Style(80)), HasSubstr("  schedule    none declared; logged lr: linear, 0.01 to 0\n"));
}

TEST(RunViewTest, ALabelCannotCommandTheTerminal) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  (*answer.mutable_run()->mutable_run()->mutable_labels())["note"] = "\x1b[2J\xc2\x9b\nü";
  EXPECT_THAT(RunText(answer, {}, Style(80)), HasSubstr("  label       note = ?[2J???ü\n"));
}

TEST(RunViewTest, WhereThereIsNoForecastTheReasonStands) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  answer.mutable_run()->mutable_forecast()->Clear();
  answer.mutable_run()->mutable_forecast()->set_status(v1::Forecast::NOT_YET);
  answer.mutable_run()->mutable_forecast()->set_reason("the learning rate is still warming up");
  EXPECT_THAT(RunText(answer, {}, Style(80)), HasSubstr("Forecast: not yet, the learning rate is still warming up.\n"));
  EXPECT_EQ(NewsText(answer.run()),
            "demo/seed1  running  step 520 of 1000 (52 %)  train/loss 2.000  no forecast yet: the learning rate is "
            "still warming up\n");
}

TEST(RunViewTest, AForecastSaysOnWhatItLeans) {
  v1::GetRunResponse answer;
  *answer.mutable_run() = Summary(v1::Run::RUNNING);
  EXPECT_THAT(RunText(answer, {}, Style(80)), Not(HasSubstr("leans")));
  answer.mutable_run()->mutable_forecast()->set_relatives(12);
  answer.mutable_run()->mutable_forecast()->set_siblings(3);
  EXPECT_THAT(RunText(answer, {}, Style(80)),
              HasSubstr("[1.85, 1.95]\nIt leans on 12 finished runs of the project, 3 of its family.\n"));
  v1::Forecast one;
  one.set_relatives(1);
  EXPECT_EQ(LeansText(one), "It leans on 1 finished run of the project.\n");
}

}  // namespace
}  // namespace curvecast
