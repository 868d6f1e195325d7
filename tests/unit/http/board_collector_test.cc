#include "daemon/http/board_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/http/views.h"

namespace curvecast {
namespace {

using testing::BoardOf;
using testing::FlaggedView;
using testing::FlagOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::View;

class BoardCollectorTest : public ::testing::Test {
 protected:
  std::string Text(BoardCollector::Options options = {}) { return BoardCollector(options, boards_, clock_).Text(); }

  BoardHolder boards_;
  testing::FixedClock clock_;
};

TEST_F(BoardCollectorTest, ARunIsExportedWithItsForecast) {
  boards_.Put(BoardOf({View("r")}));
  const std::string text = Text();
  const std::string labels = R"({project="p",run="r",family="p"})";
  EXPECT_THAT(text, HasSubstr("curvecast_run_loss" + labels + " 2.5\n"));
  EXPECT_THAT(text, HasSubstr("curvecast_run_step" + labels + " 50\n"));
  EXPECT_THAT(text, HasSubstr("curvecast_run_progress_ratio" + labels + " 0.5\n"));
  EXPECT_THAT(text, HasSubstr("curvecast_run_expected_loss" + labels + " 2.25\n"));
  EXPECT_THAT(text,
              HasSubstr(R"(curvecast_run_forecast_final_loss{project="p",run="r",family="p",quantile="0.5"} 1.5)"));
  EXPECT_THAT(text, HasSubstr(R"(quantile="0.95"} 2)"));
  EXPECT_THAT(text, HasSubstr("curvecast_run_last_point_timestamp_seconds" + labels + " 900\n"));
  EXPECT_THAT(text, HasSubstr(R"(curvecast_runs{state="running"} 1)"));
}

TEST_F(BoardCollectorTest, ARunThatIsNotForecastYetHasNoForecastSeries) {
  auto view = View("r");
  view->forecast = std::make_shared<const Forecast>();
  boards_.Put(BoardOf({view}));
  EXPECT_THAT(Text(), Not(HasSubstr("forecast_final_loss")));
}

TEST_F(BoardCollectorTest, NaNIsExportedAsNaN) {
  boards_.Put(BoardOf({View("r", std::numeric_limits<double>::quiet_NaN())}));
  EXPECT_THAT(Text(), HasSubstr(R"(curvecast_run_loss{project="p",run="r",family="p"} NaN)"));
}

TEST_F(BoardCollectorTest, WhatALabelMayNotHoldIsEscaped) {
  auto view = View("r");
  auto spec = std::make_shared<RunSpec>(*view->spec);
  spec->family = "a\"b\\c\nd";
  view->spec = spec;
  boards_.Put(BoardOf({view}));
  EXPECT_THAT(Text(), HasSubstr(R"(curvecast_run_loss{project="p",run="r",family="a\"b\\c\nd"} 2.5)"));
}

TEST_F(BoardCollectorTest, EachKindOfFlagThatIsShownIsOneSeriesWithTheGravest) {
  auto view = FlaggedView(
      "r", {FlagOf(1, FlagKind::kSpike, Severity::kWarning), FlagOf(2, FlagKind::kSpike, Severity::kCritical),
            FlagOf(3, FlagKind::kSilent, Severity::kWarning)});
  view->deviation_sigma = 6.5;
  boards_.Put(BoardOf({view}));
  const std::string text = Text();
  const std::string labels = R"({project="p",run="r",family="p")";
  EXPECT_THAT(text, HasSubstr("curvecast_flag" + labels + R"(,kind="SPIKE",severity="CRITICAL"} 1)" + "\n"));
  EXPECT_THAT(text, HasSubstr("curvecast_flag" + labels + R"(,kind="SILENT",severity="WARNING"} 1)" + "\n"));
  EXPECT_THAT(text, Not(HasSubstr(R"(kind="SPIKE",severity="WARNING")")));
  EXPECT_THAT(text, HasSubstr("curvecast_deviation_sigma" + labels + "} 6.5\n"));
}

TEST_F(BoardCollectorTest, WhatIsResolvedAcknowledgedOrSilencedIsNotShownAndASilenceRunsOut) {
  std::vector<BookedFlag> flags = {
      FlagOf(1, FlagKind::kSpike, Severity::kWarning), FlagOf(2, FlagKind::kShift, Severity::kWarning),
      FlagOf(3, FlagKind::kDrift, Severity::kWarning), FlagOf(4, FlagKind::kPlateau, Severity::kWarning)};
  const int64_t now = clock_.NowUnixMicros();
  flags[0].flag.resolution = Resolution::kRecovered;
  flags[1].acknowledged_at = 1;
  flags[2].silenced_until = now + 1;
  flags[3].silenced_until = now;
  boards_.Put(BoardOf({FlaggedView("r", flags)}));
  const std::string text = Text();
  for (const char* kind : {"SPIKE", "SHIFT", "DRIFT"}) EXPECT_THAT(text, Not(HasSubstr(kind)));
  EXPECT_THAT(text, HasSubstr("kind=\"PLATEAU\""));
}

TEST_F(BoardCollectorTest, AnEndedRunsSeriesGoAfterAWhile) {
  auto ended = View("ended");
  ended->state = RunState::kCompleted;
  ended->ended_at_unix_micros = 1'000'000'000 - 5'000'000;
  boards_.Put(BoardOf({ended, View("live")}));
  BoardCollector::Options options;
  options.exported_after_end_micros = 10'000'000;
  EXPECT_THAT(Text(options), HasSubstr("run=\"ended\""));
  options.exported_after_end_micros = 1'000'000;
  EXPECT_THAT(Text(options), Not(HasSubstr("run=\"ended\"")));
  EXPECT_THAT(Text(options), HasSubstr(R"(curvecast_runs{state="completed"} 1)"));
}

TEST_F(BoardCollectorTest, PastTheCapTheLongestSilentRunsAreHiddenAndCounted) {
  auto old = View("old");
  old->last_point_at_unix_micros = 1;
  boards_.Put(BoardOf({old, View("b"), View("c")}));
  BoardCollector::Options options;
  options.max_exported_runs = 2;
  const std::string text = Text(options);
  EXPECT_THAT(text, Not(HasSubstr("run=\"old\"")));
  EXPECT_THAT(text, HasSubstr("run=\"b\""));
  EXPECT_THAT(text, HasSubstr("curvecast_runs_not_exported 1\n"));
}

}  // namespace
}  // namespace curvecast
