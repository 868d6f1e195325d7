#include "client/cpp/point_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace curvecast {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> Steps(const std::vector<LoggedPoint>& points) {
  std::vector<int64_t> steps;
  for (const LoggedPoint& point : points) steps.push_back(point.step);
  return steps;
}

TEST(PointBufferTest, PointsComeOutInTheOrderOfLogging) {
  PointBuffer buffer("loss", 10);
  EXPECT_TRUE(buffer.Append(1, "loss", 4.0));
  EXPECT_TRUE(buffer.Append(1, "lr", 0.1));
  EXPECT_TRUE(buffer.Append(2, "loss", NAN));
  const std::vector<LoggedPoint> points = buffer.Take(2, true);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(*points[0].metric, "loss");
  EXPECT_EQ(*points[1].metric, "lr");
  EXPECT_TRUE(std::isnan(buffer.Take(2, true)[0].value));
  EXPECT_TRUE(buffer.Take(2, true).empty());
}

TEST(PointBufferTest, PastTheCapTheOldestGoAndAreCounted) {
  PointBuffer buffer("loss", 3);
  for (int64_t step = 1; step <= 5; ++step) buffer.Append(step, "loss", 1);
  EXPECT_EQ(buffer.counts().logged, 5u);
  EXPECT_EQ(buffer.counts().dropped, 2u);
  EXPECT_THAT(Steps(buffer.Take(10, true)), ElementsAre(3, 4, 5));
}

TEST(PointBufferTest, AFullBufferIsThinnedAndKeepsFirstLastExtremeAndNonFinitePoints) {
  PointBuffer buffer("loss", 1000);
  constexpr int64_t kSteps = 20'000;
  for (int64_t step = 1; step <= kSteps; ++step) {
    double loss = 2 + 100.0 / static_cast<double>(step);
    if (step == 700) loss = 500;
    if (step == 9000) loss = 0.5;
    if (step == 3000 || step == 12'345) loss = NAN;
    if (step == 4000) loss = INFINITY;
    buffer.Append(step, "loss", loss);
    if (step % 2 == 0) buffer.Append(step, "lr", 0.1);
  }
  const std::vector<LoggedPoint> points = buffer.Take(2000, true);
  EXPECT_LE(points.size(), 1000u);
  EXPECT_GE(points.size(), 400u);
  EXPECT_EQ(buffer.counts().logged, 30'000u);
  EXPECT_EQ(buffer.counts().dropped, 30'000u - points.size());
  EXPECT_EQ(buffer.counts().thinned, buffer.counts().dropped);
  std::vector<int64_t> steps;
  for (const LoggedPoint& point : points) {
    if (*point.metric == "loss") steps.push_back(point.step);
  }
  EXPECT_EQ(steps.front(), 1);
  EXPECT_EQ(steps.back(), kSteps);
  EXPECT_THAT(steps, ::testing::IsSupersetOf<int64_t>({700, 3000, 4000, 9000, 12'345}));
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
  // No part of the curve is gone.
  const auto between = [&](int64_t low, int64_t high) {
    return std::count_if(steps.begin(), steps.end(), [&](int64_t step) { return low < step && step <= high; });
  };
  for (int64_t low = 0; low < kSteps; low += kSteps / 10) EXPECT_GE(between(low, low + kSteps / 10), 10) << low;
  EXPECT_EQ(points[0].resume_step, LoggedPoint::kNoResume) << "nothing was lost of where the life began";
}

TEST(PointBufferTest, ThinningKeepsEveryLifesOpening) {
  PointBuffer buffer("loss", 100);
  for (int64_t life = 0; life < 5; ++life) {
    for (int64_t i = 0; i < 60; ++i) buffer.Append(1000 - 100 * life + i, "loss", 1);
  }
  const std::vector<LoggedPoint> first = buffer.Take(1000, true);
  EXPECT_EQ(first.front().step, 1000);
  for (int64_t life = 1; life < 5; ++life) {
    const std::vector<LoggedPoint> points = buffer.Take(1000, true);
    ASSERT_FALSE(points.empty());
    EXPECT_EQ(points.front().resume_step, 1000 - 100 * life);
    EXPECT_EQ(points.back().step, 1000 - 100 * life + 59);
  }
}

TEST(PointBufferTest, AJobThatLogsOnlyNaNIsBoundedAndCheapToo) {
  PointBuffer buffer("loss", 1000);
  for (int64_t step = 1; step <= 100'000; ++step) buffer.Append(step, "loss", NAN);
  EXPECT_EQ(buffer.size(), 1000u);
  EXPECT_EQ(buffer.counts().dropped, 99'000u);
}

TEST(PointBufferTest, WhatNoDaemonWouldTakeIsRefusedAtTheDoor) {
  PointBuffer buffer("loss", 3);
  EXPECT_FALSE(buffer.Append(-1, "loss", 1));
  EXPECT_FALSE(buffer.Append((int64_t{1} << 53) + 1, "loss", 1));
  EXPECT_FALSE(buffer.Append(1, "my loss", 1));
  EXPECT_FALSE(buffer.Append(1, "", 1));
  EXPECT_FALSE(buffer.Append(1, std::string(129, 'a'), 1));
  for (size_t i = 1; i < PointBuffer::kMaxMetrics; ++i) EXPECT_TRUE(buffer.Append(1, "m" + std::to_string(i), 1));
  EXPECT_FALSE(buffer.Append(1, "one_more", 1));
  EXPECT_TRUE(buffer.Append(1, "loss", 1));
  buffer.Close();
  EXPECT_FALSE(buffer.Append(1, "m1", 1));
  EXPECT_EQ(buffer.counts().dropped, 7u + PointBuffer::kMaxMetrics - 3);
}

TEST(PointBufferTest, AStepBackOfTheObjectiveOpensALifeAndOtherMetricsDoNot) {
  PointBuffer buffer("loss", 10);
  for (const int64_t step : {10, 20, 20, 30}) buffer.Append(step, "loss", 1);
  buffer.Append(5, "eval", 1);
  buffer.Append(15, "loss", 1);
  buffer.Append(16, "loss", 1);
  EXPECT_THAT(Steps(buffer.Take(10, true)), ElementsAre(10, 20, 20, 30, 5));
  EXPECT_TRUE(buffer.Take(10, false).empty());
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  EXPECT_THAT(Steps(life), ElementsAre(15, 16));
  EXPECT_EQ(life[0].resume_step, 15);
  EXPECT_EQ(life[1].resume_step, LoggedPoint::kNoResume);
}

TEST(PointBufferTest, APointLoggedBeforeTheObjectiveAtTheResumeStepBelongsToTheNewLife) {
  PointBuffer buffer("loss", 10);
  buffer.Append(99, "lr", 1);
  buffer.Append(100, "loss", 1);
  buffer.Append(80, "lr", 1);
  buffer.Append(70, "eval", 1);  // Late, and below where the job resumes: of the old life.
  buffer.Append(80, "loss", 1);
  EXPECT_THAT(Steps(buffer.Take(10, true)), ElementsAre(99, 100, 70));
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  ASSERT_EQ(life.size(), 2u);
  EXPECT_EQ(*life[0].metric, "lr");
  EXPECT_EQ(life[0].resume_step, 80);
  EXPECT_EQ(*life[1].metric, "loss");
  EXPECT_EQ(life[1].resume_step, LoggedPoint::kNoResume);
}

TEST(PointBufferTest, ALifeOfWhichOnlyOtherMetricsAreLeftGoesOnInTheNext) {
  PointBuffer buffer("loss", 3);
  for (const int64_t step : {100, 50, 95}) buffer.Append(step, "loss", 1);
  buffer.Append(95, "lr", 1);
  buffer.Append(60, "eval", 1);
  buffer.Append(96, "lr", 1);    // Now no loss is left, and the life's opening is at the first lr.
  buffer.Append(90, "loss", 1);  // Which this drops.
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  EXPECT_THAT(Steps(life), ElementsAre(60, 96, 90));
  EXPECT_EQ(life[0].resume_step, 50);
}

TEST(PointBufferTest, ARewindThatIsSaidOpensALifeAtItsStep) {
  PointBuffer buffer("", 10);
  for (const int64_t step : {10, 20, 15}) buffer.Append(step, "loss", 1);  // 15 is late.
  buffer.Rewind(14);
  buffer.Rewind(12);
  buffer.Append(16, "loss", 2);
  EXPECT_THAT(Steps(buffer.Take(10, true)), ElementsAre(10, 20, 15));
  EXPECT_EQ(buffer.Take(10, true)[0].resume_step, 12);
}

TEST(PointBufferTest, ADroppedOpeningPassesItsResumeStepOn) {
  PointBuffer buffer("loss", 3);
  for (const int64_t step : {100, 80, 90, 95, 96}) buffer.Append(step, "loss", 1);  // 100 and 80 are dropped.
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  EXPECT_THAT(Steps(life), ElementsAre(90, 95, 96));
  EXPECT_EQ(life[0].resume_step, 80);
}

TEST(PointBufferTest, WhereTheFirstLifeBeganIsKeptWhenItsFirstPointsOverflow) {
  PointBuffer buffer("loss", 3);
  buffer.Append(70, "eval", 1);
  for (const int64_t step : {80, 81, 82, 83, 84}) buffer.Append(step, "loss", 1);
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  EXPECT_THAT(Steps(life), ElementsAre(82, 83, 84));
  EXPECT_EQ(life[0].resume_step, 80);
}

TEST(PointBufferTest, AnOverflowAfterTheFirstPointsWentOutOpensNoLife) {
  PointBuffer buffer("loss", 3);
  buffer.Append(80, "loss", 1);
  EXPECT_EQ(buffer.Take(10, true).size(), 1u);
  for (const int64_t step : {81, 82, 83, 84}) buffer.Append(step, "loss", 1);
  EXPECT_EQ(buffer.Take(10, true)[0].resume_step, LoggedPoint::kNoResume);
}

TEST(PointBufferTest, OfTwoDroppedLivesTheLowerResumeStepCounts) {
  PointBuffer buffer("loss", 2);
  for (const int64_t step : {100, 80, 130, 120, 121, 122}) buffer.Append(step, "loss", 1);
  const std::vector<LoggedPoint> life = buffer.Take(10, true);
  EXPECT_THAT(Steps(life), ElementsAre(121, 122));
  EXPECT_EQ(life[0].resume_step, 80);
}

TEST(PointBufferTest, APhaseComesOutBehindThePointsThatWereLoggedBeforeIt) {
  PointBuffer buffer("loss", 10);
  buffer.Append(1, "loss", 1);
  EXPECT_TRUE(buffer.BeginPhase("eval", 2400));
  buffer.Append(1, "eval/loss", 1);
  EXPECT_FALSE(buffer.TakePhase().has_value());
  EXPECT_EQ(buffer.Take(10, true).size(), 2u);
  EXPECT_FALSE(buffer.empty());
  const std::optional<LoggedPhase> phase = buffer.TakePhase();
  ASSERT_TRUE(phase.has_value());
  EXPECT_EQ(phase->name, "eval");
  EXPECT_EQ(phase->max_seconds, 2400);
  EXPECT_FALSE(buffer.TakePhase().has_value());
  EXPECT_TRUE(buffer.empty());
}

TEST(PointBufferTest, OnlyTheNewestPhaseWaitsAndTheObjectiveEndsIt) {
  PointBuffer buffer("loss", 10);
  for (int i = 0; i < 1000; ++i) buffer.BeginPhase("eval", 60);
  buffer.BeginPhase("save", 60);
  EXPECT_EQ(buffer.TakePhase()->name, "save");
  EXPECT_TRUE(buffer.empty());
  buffer.BeginPhase("eval", 60);
  buffer.Append(2, "loss", 1);
  EXPECT_EQ(buffer.Take(10, true).size(), 1u);
  EXPECT_TRUE(buffer.empty());
}

TEST(PointBufferTest, APhaseThatNoDaemonWouldTakeIsRefusedOrMadeFit) {
  PointBuffer buffer("loss", 10);
  for (const double seconds : {0.0, -1.0, static_cast<double>(NAN)}) EXPECT_FALSE(buffer.BeginPhase("eval", seconds));
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.BeginPhase("\xff\n" + std::string(200, 'a'), INFINITY));
  const std::optional<LoggedPhase> phase = buffer.TakePhase();
  EXPECT_EQ(phase->name, "??" + std::string(126, 'a'));
  EXPECT_EQ(phase->max_seconds, 30 * 86400);
  buffer.Close();
  EXPECT_FALSE(buffer.BeginPhase("eval", 60));
}

TEST(PointBufferTest, ThreadsLogAtOnceAndNothingIsLost) {
  PointBuffer buffer("loss", 1 << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&buffer, t] {
      for (int64_t step = 0; step < 5000; ++step) buffer.Append(step, "m" + std::to_string(t), 1);
    });
  }
  size_t taken = 0;
  while (taken < 10000) taken += buffer.Take(100, true).size();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken + buffer.size(), 20000u);
  EXPECT_EQ(buffer.counts().dropped, 0u);
}

}  // namespace
}  // namespace curvecast
