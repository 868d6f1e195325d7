#include "core/engine/run_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/engine/events.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Complaint(const RunSpec& spec) { return std::string(CheckRunSpec(spec).message()); }

TEST(RunSpecTest, WhatIsLeftEmptyIsFilledIn) {
  RunSpec spec;
  spec.key = {"p", "r"};
  Normalize(spec);
  EXPECT_EQ(spec.family, "p");
  EXPECT_EQ(spec.objective, "train/loss");
  EXPECT_TRUE(CheckRunSpec(spec).ok());
}

TEST(RunSpecTest, EveryComplaintStartsWithItsField) {
  RunSpec spec = testing::Spec();
  spec.key.project = "a/b";
  EXPECT_THAT(Complaint(spec), StartsWith("project: is \"a/b\""));
  spec = testing::Spec();
  spec.key.run_id = "";
  EXPECT_THAT(Complaint(spec), StartsWith("run_id: is \"\""));
  spec = testing::Spec();
  spec.family = "a b";
  EXPECT_THAT(Complaint(spec), StartsWith("family: is \"a b\""));
  spec = testing::Spec();
  spec.objective = "loss\n";
  EXPECT_THAT(Complaint(spec), StartsWith("objective: is \"loss?\""));
  spec = testing::Spec();
  spec.total_steps = 0;
  EXPECT_THAT(Complaint(spec), StartsWith("total_steps: is 0"));
  spec = testing::Spec();
  spec.parameters = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Complaint(spec), StartsWith("parameters: is nan"));
  spec = testing::Spec();
  spec.schedule.emplace().peak_lr = -1;
  EXPECT_THAT(Complaint(spec), StartsWith("schedule."));
  spec = testing::Spec();
  spec.labels.assign(65, {"k", "v"});
  EXPECT_THAT(Complaint(spec), StartsWith("labels: has 65 entries"));
}

TEST(RunSpecTest, ALongNameIsQuotedInPart) {
  RunSpec spec = testing::Spec();
  spec.key.run_id = std::string(100000, 'x');
  EXPECT_LT(Complaint(spec).size(), 300u);
  EXPECT_THAT(Complaint(spec), HasSubstr("..."));
}

TEST(RunSpecTest, ThePlanCarriesWhatTheLawNeeds) {
  RunSpec spec = testing::Spec();
  ScheduleSpec& schedule = spec.schedule.emplace();
  schedule.peak_lr = 1e-3;
  schedule.warmup_steps = 10;
  schedule.decay = Decay::kCosine;
  spec.parameters = 1e6;
  const Plan plan = MakePlan(spec);
  EXPECT_EQ(plan.total_steps, 1000);
  ASSERT_TRUE(plan.schedule.has_value());
  EXPECT_FALSE(plan.schedule->constant());
  EXPECT_EQ(plan.parameters, 1e6);
}

}  // namespace
}  // namespace curvecast
