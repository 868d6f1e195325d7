#include "core/watch/silence.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace curvecast {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 3600;

// A job that is heard, on a clock of its own, in seconds.
class SilenceTest : public ::testing::Test {
 protected:
  int64_t Now() const { return 1'700'000'000'000'000 + static_cast<int64_t>(seconds_ * 1e6); }
  std::optional<FlagChange> Points() {
    std::optional<FlagChange> said = silence_.Arrived(Now(), 1, Here());
    silence_.Progressed();
    return said;
  }
  // Points every `pause` seconds for so long, with a tick each second; says whether any tick had something to say.
  bool Train(double seconds, double pause) {
    bool said = false;
    for (double done = 0; done < seconds; done += pause) {
      said |= Wait(pause).has_value();
      Points();
    }
    return said;
  }
  // Ticks each second; the last thing that was said.
  std::optional<FlagChange> Wait(double seconds) {
    std::optional<FlagChange> said;
    const double until = seconds_ + seconds;
    while (seconds_ < until) {
      seconds_ = std::min(seconds_ + 1, until);
      if (auto change = silence_.Tick(Now(), Here())) said = change;
    }
    return said;
  }
  void Begin(double max_seconds) { silence_.Began(Now(), max_seconds); }
  Silence::Place Here() const { return {metric_, 7}; }

  const std::string metric_ = "train/loss";
  double seconds_ = 0;
  Silence silence_{120};
};

TEST_F(SilenceTest, ARunThatStopsReportingIsFlaggedOnceAndGravelyAfterTenTimesAsLong) {
  EXPECT_FALSE(Train(10 * kMinute, 5));
  EXPECT_FALSE(Wait(119).has_value());
  const std::optional<FlagChange> warning = Wait(1);
  ASSERT_TRUE(warning.has_value());
  EXPECT_EQ(warning->what, FlagChange::What::kRaised);
  EXPECT_EQ(warning->flag.kind, FlagKind::kSilent);
  EXPECT_EQ(warning->flag.severity, Severity::kWarning);
  EXPECT_EQ(warning->flag.metric, "train/loss");
  EXPECT_EQ(warning->flag.raised_step, 7);
  EXPECT_EQ(warning->flag.evidence.statistic, 120);
  EXPECT_EQ(warning->flag.evidence.threshold, 120);
  EXPECT_EQ(warning->flag.evidence.expected, 5);
  EXPECT_FALSE(Wait(1079).has_value());
  const std::optional<FlagChange> critical = Wait(1);
  ASSERT_TRUE(critical.has_value());
  EXPECT_EQ(critical->what, FlagChange::What::kUpdated);
  EXPECT_EQ(critical->flag.severity, Severity::kCritical);
  EXPECT_FALSE(Wait(kHour).has_value());
}

TEST_F(SilenceTest, PointsEndIt) {
  Train(10 * kMinute, 5);
  ASSERT_TRUE(Wait(150).has_value());
  const std::optional<FlagChange> over = Points();
  ASSERT_TRUE(over.has_value());
  EXPECT_EQ(over->what, FlagChange::What::kResolved);
  EXPECT_EQ(over->flag.resolution, Resolution::kRecovered);
  EXPECT_FALSE(silence_.active().has_value());
  EXPECT_FALSE(Points().has_value());
}

TEST_F(SilenceTest, ABatchWithoutPointsDoesNotEndIt) {
  Train(10 * kMinute, 5);
  ASSERT_TRUE(Wait(150).has_value());
  EXPECT_FALSE(silence_.Arrived(Now(), 0, Here()).has_value());
  EXPECT_TRUE(silence_.active().has_value());
}

TEST_F(SilenceTest, ASlowRunIsMeasuredByItsOwnPace) {
  EXPECT_FALSE(Train(10 * kHour, 10 * kMinute));
  EXPECT_FALSE(Wait(99 * kMinute).has_value());
  EXPECT_TRUE(Wait(kMinute).has_value()) << "ten times its typical pause";
}

TEST_F(SilenceTest, AnEvaluationOf40MinutesIsFlaggedTheFirstTimeAndNotWhenItComesAgain) {
  Train(kHour, 5);
  EXPECT_TRUE(Wait(40 * kMinute).has_value());
  for (int day = 0; day < 3; ++day) {
    Points();
    EXPECT_FALSE(Train(24 * kHour, 30));
    EXPECT_FALSE(Wait(40 * kMinute).has_value()) << "day " << day;
  }
}

TEST_F(SilenceTest, APauseThatDoesNotComeAgainIsForgotten) {
  Train(kHour, 5);
  Wait(40 * kMinute);
  Points();
  Train(10 * 24 * kHour, 60);
  EXPECT_TRUE(Wait(40 * kMinute).has_value());
}

TEST_F(SilenceTest, ADeclaredPhaseIsNoSilenceTheFirstTimeEither) {
  Train(kHour, 5);
  Begin(40 * kMinute);
  EXPECT_FALSE(Wait(40 * kMinute).has_value());
  EXPECT_FALSE(Wait(119).has_value()) << "and some slack";
  const std::optional<FlagChange> late = Wait(1);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->flag.evidence.threshold, 40 * kMinute + 120);
}

TEST_F(SilenceTest, ADeclaredPhaseTeachesNothing) {
  Train(kHour, 5);
  Begin(40 * kMinute);
  Wait(40 * kMinute);
  Points();
  EXPECT_FALSE(Wait(119).has_value());
  EXPECT_TRUE(Wait(1).has_value());
}

TEST_F(SilenceTest, APhaseLastsUntilAPointOfTheObjectiveWhateverElseIsLogged) {
  Train(kHour, 5);
  Begin(40 * kMinute);
  Wait(10 * kMinute);
  silence_.Arrived(Now(), 3, Here());  // Such as the load of the machine.
  EXPECT_FALSE(Wait(30 * kMinute).has_value());
  Points();
  EXPECT_TRUE(Wait(2 * kMinute).has_value());
}

TEST_F(SilenceTest, BeforeTheSecondArrivalNothingIsSaid) {
  EXPECT_FALSE(Wait(kHour).has_value());
  Points();
  EXPECT_FALSE(Wait(kHour).has_value());
}

TEST_F(SilenceTest, PointsOfAnUnknownTimeMakeNoSilence) {
  for (int i = 0; i < 100; ++i) silence_.Arrived(0, 1, Here());
  EXPECT_FALSE(Wait(kHour).has_value());
}

TEST_F(SilenceTest, WhileTheDaemonIsAwayNobodyIsSilentAndNothingIsLearned) {
  Train(kHour, 5);
  seconds_ += 8 * kHour;
  silence_.Resumed(Now());
  EXPECT_FALSE(Wait(119).has_value()) << "counted from the daemon's return";
  Points();
  Train(kMinute, 5);
  EXPECT_TRUE(Wait(2 * kMinute).has_value()) << "the 8 hours were no pause of the run's";
}

TEST_F(SilenceTest, ABatchThatWaitedForTheDaemonDoesNotStartAnOldPause) {
  Train(kHour, 5);
  const int64_t before = Now();
  seconds_ += kHour;
  silence_.Resumed(Now());
  silence_.Arrived(before + 1, 1, Here());
  EXPECT_FALSE(Wait(119).has_value());
  EXPECT_TRUE(Wait(1).has_value());
}

TEST_F(SilenceTest, WhatWasSilentBeforeARestartStaysSoUntilPointsCome) {
  Train(kHour, 5);
  const Flag flag = Wait(10 * kMinute)->flag;
  Silence again(120);
  again.Arrived(Now() - 10, 1, Here());
  again.Arrived(Now() - 5, 1, Here());
  again.Resumed(Now());
  again.Restore(flag);
  EXPECT_FALSE(again.Tick(Now() + 1'199'000'000, Here()).has_value()) << "raised only once";
  EXPECT_EQ(again.Tick(Now() + 1'200'000'000, Here())->flag.severity, Severity::kCritical);
  EXPECT_EQ(again.Arrived(Now() + 1'300'000'000, 1, Here())->flag.resolution, Resolution::kRecovered);
}

TEST_F(SilenceTest, ANewLifeMayTakeItsTimeToStart) {
  Train(kHour, 5);
  silence_.Restarted();
  EXPECT_FALSE(Wait(kHour).has_value());
  Points();
  Train(kMinute, 5);
  EXPECT_TRUE(Wait(2 * kMinute).has_value()) << "the hour was no pause of the run's";
}

TEST_F(SilenceTest, TheEndResolvesIt) {
  EXPECT_FALSE(silence_.Ended(Here()).has_value());
  Train(kHour, 5);
  Wait(10 * kMinute);
  EXPECT_EQ(silence_.Ended(Here())->flag.resolution, Resolution::kEnded);
  EXPECT_FALSE(Wait(kHour).has_value());
}

TEST_F(SilenceTest, TimesThatMakeNoSenseDoNoHarm) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  for (int64_t time : {kEnd, int64_t{-1}, int64_t{1}, kEnd, kEnd - 1, -kEnd}) {
    silence_.Arrived(time, 1, Here());
    silence_.Began(time, 1e9);
    silence_.Resumed(time);
    silence_.Tick(time, Here());
  }
  Points();
  Points();
  SUCCEED();
}

}  // namespace
}  // namespace curvecast
