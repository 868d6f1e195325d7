#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "client/cli/chart.h"
#include "client/cli/find_run.h"
#include "client/cli/number_text.h"
#include "client/cli/table.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

v1::Forecast ForecastOf(double low, double median, double high) {
  v1::Forecast forecast;
  forecast.set_status(v1::Forecast::OK);
  (*forecast.mutable_quantiles())["0.05"] = low;
  (*forecast.mutable_quantiles())["0.5"] = median;
  (*forecast.mutable_quantiles())["0.95"] = high;
  return forecast;
}

TEST(NumberTextTest, NumbersKeepFourDigitsThatMatter) {
  EXPECT_EQ(NumberText(3.21649), "3.216");
  EXPECT_EQ(NumberText(0.0123456), "0.01235");
  EXPECT_EQ(NumberText(12345.6), "12346");
  EXPECT_EQ(NumberText(12345678), "1.2e+07");
  EXPECT_EQ(NumberText(-0.00001234), "-1.2e-05");
  EXPECT_EQ(NumberText(0), "0");
  EXPECT_EQ(NumberText(NAN), "NaN");
  EXPECT_EQ(NumberText(-INFINITY), "-inf");
}

TEST(NumberTextTest, AForecastShowsTheDecimalsThatItsIntervalDeserves) {
  EXPECT_EQ(IntervalText(ForecastOf(2.75123, 2.80987, 2.86789)), "2.81 [2.75, 2.87]");
  EXPECT_EQ(IntervalText(ForecastOf(1.5, 2.8, 4.7)), "2.8 [1.5, 4.7]");
  EXPECT_EQ(IntervalText(ForecastOf(2, 2, 2)), "2.000 [2.000, 2.000]");
  v1::Forecast not_yet = ForecastOf(1, 2, 3);
  not_yet.set_status(v1::Forecast::NOT_YET);
  EXPECT_EQ(IntervalText(not_yet), "-");
}

TEST(NumberTextTest, OnlyTheEndIsAHundredPerCent) {
  EXPECT_EQ(PercentText(0.9999), "99 %");
  EXPECT_EQ(PercentText(1), "100 %");
  EXPECT_EQ(PercentText(0.2), "20 %");
  EXPECT_EQ(PercentText(0.29), "29 %");
  EXPECT_EQ(PercentText(1.254), "125 %");
}

TEST(NumberTextTest, AgesUseTheLargestUnitThatFits) {
  EXPECT_EQ(AgeText(-3), "0s");
  EXPECT_EQ(AgeText(59), "59s");
  EXPECT_EQ(AgeText(3599), "59m");
  EXPECT_EQ(AgeText(47 * 3600), "47h");
  EXPECT_EQ(AgeText(48 * 3600), "2d");
}

TEST(TableTest, ColumnsAreAlignedAndNothingTrails) {
  Table table{{{"run"}, {"step", Table::Align::kRight}, {"note"}}, {{"a", "1000", "x"}, {"longer", "7", ""}}};
  EXPECT_EQ(Render(table, 0, "…"),
            "run     step  note\n"
            "a       1000  x\n"
            "longer     7\n");
}

TEST(TableTest, TheWidestColumnThatMayShrinkIsCutInTheMiddle) {
  Table table{{{"run", Table::Align::kLeft, true}, {"step", Table::Align::kRight}},
              {{"width256_lr1e-3_seed1", "1000"}}};
  EXPECT_EQ(Render(table, 20, "…"), "run             step\nwidth25…_seed1  1000\n");
  EXPECT_EQ(Render(table, 20, ".."), "run             step\nwidth2.._seed1  1000\n");
}

TEST(FindRunTest, ABareIdWillDoIfItIsTheOnlyOne) {
  const std::vector<RunName> runs = {{"demo", "seed1"}, {"demo", "seed2"}, {"other", "seed2"}};
  EXPECT_EQ(FindRun("seed1", runs)->project, "demo");
  EXPECT_EQ(FindRun("other/seed2", runs)->project, "other");
  const absl::Status several = FindRun("seed2", runs).status();
  EXPECT_EQ(several.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(several), "\"seed2\" names several runs: demo/seed2, other/seed2; write project/run_id");
}

TEST(FindRunTest, AMisspeltRunGetsNearNames) {
  const std::vector<RunName> runs = {{"demo", "seed1"}, {"demo", "width256"}};
  EXPECT_EQ(Message(FindRun("sed1", runs).status()), "there is no run \"sed1\"; did you mean demo/seed1?");
  EXPECT_EQ(Message(FindRun("deno/width256", runs).status()),
            "there is no run \"deno/width256\"; did you mean demo/width256?");
  EXPECT_EQ(FindRun("zebra", runs).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(FindRun("zebra", {}).status()), HasSubstr("`curvecast runs` lists"));
}

ChartData FallingCurve() {
  ChartData data;
  for (int step = 0; step <= 60; ++step) data.curve.push_back({static_cast<double>(step), 2 + 4 / (1 + 0.2 * step)});
  for (int step = 60; step <= 100; step += 10) {
    const double middle = 2 + 4 / (1 + 0.2 * step);
    const double half = 0.02 * (step - 60);
    data.forecast.push_back({static_cast<double>(step), middle - half, middle, middle + half});
  }
  data.x_end = 100;
  return data;
}

TEST(ChartTest, ACurveFallsInAsciiWithItsForecastAndBand) {
  EXPECT_EQ(RenderChart(FallingCurve(), {50, 8, true}),
            "   4.222 |***\n"
            "         |  **\n"
            "         |   **\n"
            "         |     ***                           .....\n"
            "   2.604 |        *********          .............\n"
            "         |                ********----------------\n"
            "         |                            ............\n"
            "   1.390 |                                  ......\n"
            "         +----------------------------------------\n"
            "         0                      60             100\n");
}

TEST(ChartTest, ACurveFallsInBraille) {
  EXPECT_EQ(RenderChart(FallingCurve(), {50, 6, false}),
            "   4.222 ┤⠉⠉⢆\n"
            "         │   ⠧⡀\n"
            "         │    ⠈⠒⢤⣀                           ░░░░░\n"
            "   2.523 ┤        ⠉⠉⠒⠒⠦⠤⠤⠤⣄⣀⣀⣀⣀⣀⣀⡀░░░░░░░░░░░░░░░░\n"
            "         │                       ⠈⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁\n"
            "   1.390 ┤                                ░░░░░░░░\n"
            "         └────────────────────────────────────────\n"
            "         0                      60             100\n");
}

TEST(ChartTest, WhatIsNotFiniteIsLeftOutAndNothingToDrawIsEmpty) {
  EXPECT_EQ(RenderChart({}, {}), "");
  EXPECT_EQ(RenderChart({{{1, NAN}, {2, INFINITY}}, {}, 10}, {}), "");
  const std::string one = RenderChart({{{1, NAN}, {5, 2.5}}, {{5, 1, NAN, 3}}, 10}, {40, 4, true});
  EXPECT_THAT(one, HasSubstr("*"));
  EXPECT_THAT(one, HasSubstr("2.5"));
}

TEST(ChartTest, HostileNumbersDoNotBreakTheFrame) {
  for (const double x : {-1e308, 0.0, 1e308}) {
    for (const double y : {-1e308, 1e-320, 1e308}) {
      ChartData data{{{0, 1}, {x, y}}, {{x, y, y, y}}, x};
      std::sort(data.curve.begin(), data.curve.end(), [](auto& a, auto& b) { return a.x < b.x; });
      const std::string text = RenderChart(data, {60, 5, true});
      EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7) << x << " " << y;
    }
  }
}

}  // namespace
}  // namespace curvecast
