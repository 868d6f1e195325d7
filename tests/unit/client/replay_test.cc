#include "client/cli/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace curvecast {
namespace {

using ::testing::ElementsAre;

std::vector<ReplayLife> Replay(const std::string& lines, size_t max_points) {
  std::istringstream in(R"({"run":{"project":"p","runId":"r"}})"
                        "\n" +
                        lines);
  const absl::StatusOr<ReadRun> run = ReadRunFrom(in, "a.jsonl");
  EXPECT_TRUE(run.ok() && run->error.ok());
  return ToReplay(*run, max_points);
}

TEST(ReplayTest, MetricsTravelTogetherInOrderOfStep) {
  const auto lives = Replay(R"({"points":{"metric":"loss","step":[1,2,3],"value":[3,2,1]}})"
                            "\n"
                            R"({"points":{"metric":"eval","step":[2],"value":[9]}})"
                            "\n"
                            R"({"end":{"state":"COMPLETED"}})",
                            2);
  ASSERT_EQ(lives.size(), 1u);
  EXPECT_FALSE(lives[0].resume_step.has_value());
  ASSERT_EQ(lives[0].batches.size(), 2u);
  EXPECT_THAT(lives[0].batches[0].points(0).step(), ElementsAre(1));
  EXPECT_EQ(lives[0].batches[0].points(1).metric(), "eval");
  EXPECT_EQ(lives[0].batches[0].sequence(), 1u);
  EXPECT_THAT(lives[0].batches[1].points(0).step(), ElementsAre(2, 3));
  EXPECT_FALSE(lives[0].batches[0].has_end());
  EXPECT_EQ(lives[0].batches[1].end().state(), v1::Run::COMPLETED);
}

TEST(ReplayTest, ARewindIsALifeOfItsOwnAndTwoInARowAreOne) {
  const auto lives = Replay(R"({"points":{"metric":"loss","step":[1,2,3],"value":[3,2,1]}})"
                            "\n"
                            R"({"rewind":{"fromStep":3}})"
                            "\n"
                            R"({"rewind":{"fromStep":2}})"
                            "\n"
                            R"({"points":{"metric":"loss","step":[2],"value":[9]}})",
                            10);
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_EQ(lives[1].resume_step, 2);
  EXPECT_EQ(lives[1].batches[0].sequence(), 1u);
}

TEST(ReplayTest, ARunWithoutPointsStillEnds) {
  const auto lives = Replay(R"({"end":{"state":"FAILED"}})", 10);
  ASSERT_EQ(lives.size(), 1u);
  ASSERT_EQ(lives[0].batches.size(), 1u);
  EXPECT_EQ(lives[0].batches[0].end().state(), v1::Run::FAILED);
}

}  // namespace
}  // namespace curvecast
