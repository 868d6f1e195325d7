#include "client/cpp/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curvecast {
namespace {

using ::testing::ElementsAre;

constexpr Batcher::Limits kSmall = {2, 3};  // Two points a batch, three batches.

// The sequence numbers of all that there is to send.
std::vector<uint64_t> SendAll(Batcher& batcher) {
  std::vector<uint64_t> sequences;
  while (const v1::Batch* batch = batcher.NextToSend()) sequences.push_back(batch->sequence());
  return sequences;
}

class BatcherTest : public ::testing::Test {
 protected:
  void Log(int64_t first, int64_t last) {
    for (int64_t step = first; step <= last; ++step) buffer_.Append(step, "loss", 1);
  }
  PointBuffer buffer_{"loss", 1000};
  Batcher batcher_{7, std::nullopt, kSmall};
};

TEST_F(BatcherTest, ABatchHoldsAColumnForEachMetric) {
  Batcher batcher(7, std::nullopt, {100, 3});
  for (int64_t step = 1; step <= 3; ++step) {
    buffer_.Append(step, "loss", 1.5);
    buffer_.Append(step, "lr", 0.1);
  }
  EXPECT_FALSE(batcher.Fill(buffer_));
  const v1::Batch* batch = batcher.NextToSend();
  ASSERT_NE(batch, nullptr);
  ASSERT_EQ(batch->points_size(), 2);
  EXPECT_EQ(batch->points(0).metric(), "loss");
  EXPECT_THAT(batch->points(0).step(), ElementsAre(1, 2, 3));
  EXPECT_THAT(batch->points(1).value(), ElementsAre(0.1, 0.1, 0.1));
}

TEST_F(BatcherTest, ABatchSizeThatTheDaemonWouldRefuseIsMadeFit) {
  PointBuffer buffer("loss", 20000);
  for (int64_t step = 1; step <= 20000; ++step) buffer.Append(step, "loss", 1);
  Batcher huge(7, std::nullopt, {1 << 20, 3});
  huge.Fill(buffer);
  EXPECT_EQ(huge.Acknowledged(1), 16384u);
  EXPECT_EQ(huge.Acknowledged(2), 20000u - 16384u);
}

TEST_F(BatcherTest, ABatchSizeOfZeroStillSends) {
  Log(1, 3);
  Batcher zero(7, std::nullopt, {0, 3});
  zero.Fill(buffer_);
  EXPECT_THAT(SendAll(zero), ElementsAre(1, 2, 3));
}

TEST_F(BatcherTest, WhatIsNotSettledIsBoundedAndTheRestStaysInTheBuffer) {
  Log(1, 10);
  batcher_.Fill(buffer_);
  EXPECT_EQ(buffer_.size(), 4u);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(1, 2, 3));
  EXPECT_EQ(batcher_.Acknowledged(2), 4u);
  batcher_.Fill(buffer_);
  EXPECT_EQ(buffer_.size(), 0u);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(4, 5));
}

TEST_F(BatcherTest, ANewStreamResendsWhatLiesAtOrPastTheExpectedSequence) {
  Log(1, 6);
  batcher_.Fill(buffer_);
  SendAll(batcher_);
  batcher_.ForgetSent();
  EXPECT_EQ(batcher_.Opened(2), 2u);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(2, 3));
}

TEST_F(BatcherTest, ADaemonThatExpectsAnOlderSequenceGetsWhatIsLeft) {
  Log(1, 6);
  batcher_.Fill(buffer_);
  SendAll(batcher_);
  batcher_.Acknowledged(2);
  batcher_.ForgetSent();
  EXPECT_EQ(batcher_.Opened(1), 0u);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(3));
}

TEST_F(BatcherTest, ARefusedBatchGoesAlone) {
  Log(1, 6);
  batcher_.Fill(buffer_);
  SendAll(batcher_);
  EXPECT_EQ(batcher_.Refused(2), 2u);
  EXPECT_EQ(batcher_.Refused(2), 0u);
  EXPECT_FALSE(batcher_.settled());
  EXPECT_EQ(batcher_.Acknowledged(3), 4u);
  EXPECT_TRUE(batcher_.settled());
}

TEST_F(BatcherTest, ANewLifeStartsWhenTheOldOneIsSettled) {
  Log(1, 3);
  Log(2, 4);
  EXPECT_FALSE(batcher_.Fill(buffer_));
  EXPECT_THAT(SendAll(batcher_), ElementsAre(1, 2));
  EXPECT_FALSE(batcher_.Fill(buffer_));
  EXPECT_EQ(batcher_.incarnation(), 7u);
  batcher_.Acknowledged(2);
  EXPECT_TRUE(batcher_.Fill(buffer_));
  EXPECT_EQ(batcher_.incarnation(), 8u);
  EXPECT_EQ(batcher_.resume_step(), 2);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(1, 2));
}

TEST_F(BatcherTest, ALifeThatHadNoBatchLeavesItsResumeStepToTheNext) {
  Batcher batcher(7, 40, kSmall);
  buffer_.Rewind(55);
  Log(56, 56);
  EXPECT_TRUE(batcher.Fill(buffer_));
  EXPECT_EQ(batcher.resume_step(), 40);
  batcher.Acknowledged(1);
  buffer_.Rewind(50);
  Log(56, 56);
  EXPECT_TRUE(batcher.Fill(buffer_));
  EXPECT_EQ(batcher.resume_step(), 50);
}

TEST_F(BatcherTest, APhaseGoesWithTheLastPointsOrAlone) {
  Log(1, 3);
  buffer_.BeginPhase("eval", 2400);
  batcher_.Fill(buffer_);
  EXPECT_FALSE(batcher_.NextToSend()->has_phase());
  const v1::Batch* last = batcher_.NextToSend();
  EXPECT_EQ(last->phase().name(), "eval");
  EXPECT_EQ(last->phase().max_seconds(), 2400);
  EXPECT_EQ(batcher_.Acknowledged(2), 3u);
  buffer_.BeginPhase("save", 60);
  batcher_.Fill(buffer_);
  const v1::Batch* alone = batcher_.NextToSend();
  ASSERT_NE(alone, nullptr);
  EXPECT_EQ(alone->points_size(), 0);
  EXPECT_EQ(alone->phase().name(), "save");
}

TEST_F(BatcherTest, PhasesThatNobodyTakesAreBounded) {
  for (int i = 0; i < 100; ++i) {
    buffer_.BeginPhase("eval", 60);
    batcher_.Fill(buffer_);
  }
  EXPECT_THAT(SendAll(batcher_), ElementsAre(1, 2, 3));
}

TEST_F(BatcherTest, ALifeThatHadOnlyAPhaseHasRewoundNothing) {
  Batcher batcher(7, 40, kSmall);
  buffer_.BeginPhase("load", 60);
  EXPECT_FALSE(batcher.Fill(buffer_));
  batcher.Acknowledged(1);
  buffer_.Rewind(55);
  Log(56, 56);
  EXPECT_TRUE(batcher.Fill(buffer_));
  EXPECT_EQ(batcher.resume_step(), 40);
}

TEST_F(BatcherTest, TheEndIsTheLastBatch) {
  Log(1, 1);
  batcher_.Fill(buffer_);
  batcher_.QueueEnd(v1::Run::COMPLETED);
  EXPECT_THAT(SendAll(batcher_), ElementsAre(1, 2));
  batcher_.Acknowledged(1);
  EXPECT_FALSE(batcher_.end_acknowledged());
  batcher_.Acknowledged(2);
  EXPECT_TRUE(batcher_.end_acknowledged());
}

}  // namespace
}  // namespace curvecast
