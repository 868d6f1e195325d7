#include "daemon/rpc/batch_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace curvecast {
namespace {

using ::testing::StartsWith;

v1::Open GoodOpen() {
  v1::Open open;
  open.mutable_run()->set_project("p");
  open.mutable_run()->set_run_id("r");
  open.set_incarnation(1);
  return open;
}

v1::Batch GoodBatch() {
  v1::Batch batch;
  batch.set_sequence(1);
  for (const char* metric : {"train/loss", "eval/loss"}) {
    v1::Points* points = batch.add_points();
    points->set_metric(metric);
    points->add_step(1);
    points->add_value(2.5);
  }
  return batch;
}

std::string Complaint(const v1::Open& open) { return std::string(CheckOpen(open).status().message()); }
std::string Complaint(const v1::Batch& batch) { return std::string(CheckBatch(batch, 100).status().message()); }

TEST(BatchCheckTest, WhatIsGoodPasses) {
  ASSERT_TRUE(CheckOpen(GoodOpen()).ok());
  const auto batch = CheckBatch(GoodBatch(), 2);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->columns.size(), 2u);
}

TEST(BatchCheckTest, APhaseMayComeAlone) {
  v1::Batch batch;
  batch.set_sequence(1);
  batch.mutable_phase()->set_name("eval");
  batch.mutable_phase()->set_max_seconds(2400);
  const auto checked = CheckBatch(batch, 100);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->phase, (Phase{"eval", 2400}));
}

TEST(BatchCheckTest, AnOpenIsRefusedWithThePathOfItsField) {
  v1::Open open = GoodOpen();
  open.mutable_run()->clear_run_id();
  EXPECT_THAT(Complaint(open), StartsWith("open.run.run_id: "));
  open = GoodOpen();
  open.set_incarnation(0);
  EXPECT_THAT(Complaint(open), StartsWith("open.incarnation: is 0"));
  open = GoodOpen();
  open.set_writer("rank 3");
  EXPECT_THAT(Complaint(open), StartsWith("open.writer: is \"rank 3\""));
  open = GoodOpen();
  open.set_resume_step(-1);
  EXPECT_THAT(Complaint(open), StartsWith("open.resume_step: is -1"));
}

TEST(BatchCheckTest, ABatchIsRefusedWithThePathOfItsField) {
  v1::Batch batch = GoodBatch();
  batch.set_sequence(0);
  EXPECT_THAT(Complaint(batch), StartsWith("batch.sequence: is 0"));
  batch = GoodBatch();
  batch.mutable_points(1)->set_step(0, -7);
  EXPECT_THAT(Complaint(batch), StartsWith("batch.points[1].step[0]: is -7"));
  batch = GoodBatch();
  batch.mutable_points(0)->add_value(1);
  EXPECT_THAT(Complaint(batch), StartsWith("batch.points[0].value: has 2 values for 1 steps"));
  batch = GoodBatch();
  batch.mutable_points(0)->set_metric("");
  EXPECT_THAT(Complaint(batch), StartsWith("batch.points[0].metric: "));
  batch = GoodBatch();
  batch.add_points()->set_metric("empty");
  EXPECT_THAT(Complaint(batch), StartsWith("batch.points[2].step: is empty"));
  batch = GoodBatch();
  while (batch.points_size() <= kMaxColumns) batch.add_points();
  EXPECT_THAT(Complaint(batch), StartsWith("batch.points: has 1025 columns"));
  batch = GoodBatch();
  batch.mutable_end();
  EXPECT_THAT(Complaint(batch), StartsWith("batch.end.state: "));
  batch = GoodBatch();
  batch.mutable_phase()->set_name("eval");
  EXPECT_THAT(Complaint(batch), StartsWith("batch.phase.max_seconds: is 0"));
  batch.mutable_phase()->set_max_seconds(30 * 86400 + 1);
  EXPECT_THAT(Complaint(batch), StartsWith("batch.phase.max_seconds: is 2.592e+06"));
  batch.mutable_phase()->set_max_seconds(std::nan(""));
  EXPECT_THAT(Complaint(batch), StartsWith("batch.phase.max_seconds: is nan"));
  batch.mutable_phase()->set_name(std::string(129, 'x'));
  EXPECT_THAT(Complaint(batch), StartsWith("batch.phase.name: has 129 bytes"));
  EXPECT_THAT(std::string(CheckBatch(GoodBatch(), 1).status().message()),
              StartsWith("batch.points: has 2 points; at most 1"));
}

}  // namespace
}  // namespace curvecast
