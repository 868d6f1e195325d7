#include "daemon/convert/run_convert.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace curvecast {
namespace {

using ::testing::StartsWith;

v1::Run FromJson(const std::string& json) {
  v1::Run run;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &run);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return run;
}

std::string Complaint(const std::string& json) { return std::string(ToRunSpec(FromJson(json)).status().message()); }

TEST(RunConvertTest, ARunFilesFirstLineGoesThereAndBackUnchanged) {
  const v1::Run run =
      FromJson(R"({"project":"p","runId":"r","family":"p/1M","objective":"eval/loss","direction":"MAXIMIZE",
      "totalSteps":38145,"parameters":1e6,"tokensPerStep":4096,
      "schedule":{"peakLr":0.011,"finalLr":1e-05,"warmupSteps":2000,"decay":"COSINE","decayStartStep":2000},
      "labels":{"optimizer":"adamw","a":"b"}})");
  const absl::StatusOr<RunSpec> spec = ToRunSpec(run);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(spec->maximize);
  EXPECT_EQ(spec->schedule->decay, Decay::kCosine);
  EXPECT_EQ(spec->labels.front().first, "a") << "labels are in order, so that equal runs are equal";
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(ToProto(*spec), run)) << ToProto(*spec).DebugString();
}

TEST(RunConvertTest, EveryDecayGoesThereAndBack) {
  for (int decay = v1::Schedule::NONE; decay <= v1::Schedule::Decay_MAX; ++decay) {
    v1::Run run = FromJson(R"({"project":"p","runId":"r","totalSteps":100,"schedule":{"peakLr":1,"finalLr":0.1}})");
    run.mutable_schedule()->set_decay(static_cast<v1::Schedule::Decay>(decay));
    const absl::StatusOr<RunSpec> spec = ToRunSpec(run);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(ToProto(*spec).schedule().decay(), decay);
  }
}

TEST(RunConvertTest, KnotsReplaceTheShape) {
  const auto spec =
      ToRunSpec(FromJson(R"({"project":"p","runId":"r","schedule":{"knots":{"step":[0,10,20],"lr":[0,1,0.5]}}})"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->schedule->knot_steps.size(), 3u);
  EXPECT_EQ(ToProto(*spec).schedule().knots().lr(2), 0.5);
}

TEST(RunConvertTest, ARunThatDeclaresNearlyNothingIsAccepted) {
  const auto spec = ToRunSpec(FromJson(R"({"project":"p","runId":"r"})"));
  ASSERT_TRUE(spec.ok());
  EXPECT_FALSE(spec->total_steps.has_value());
  EXPECT_FALSE(spec->schedule.has_value());
}

TEST(RunConvertTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Complaint(R"({"project":"p"})"), StartsWith("run_id: "));
  EXPECT_THAT(Complaint(R"({"project":"p","runId":"r","totalSteps":-5})"), StartsWith("total_steps: is -5"));
  EXPECT_THAT(Complaint(R"({"project":"p","runId":"r","schedule":{"knots":{"step":[1,2],"lr":[1]}}})"),
              StartsWith("schedule.knots"));
  EXPECT_THAT(Complaint(R"({"project":"p","runId":"r","totalSteps":9,"schedule":{"peakLr":"NaN"}})"),
              StartsWith("schedule.peak_lr"));
  v1::Run run = FromJson(R"({"project":"p","runId":"r","totalSteps":9,"schedule":{"peakLr":1}})");
  run.mutable_schedule()->set_decay(static_cast<v1::Schedule::Decay>(77));
  EXPECT_THAT(std::string(ToRunSpec(run).status().message()), StartsWith("schedule.decay: is 77"));
}

v1::Points SomePoints() {
  v1::Points points;
  points.set_metric("train/loss");
  for (int i = 0; i < 3; ++i) {
    points.add_step(i);
    points.add_value(4.0 - i);
  }
  return points;
}

std::string Complaint(const v1::Points& points) { return std::string(ToColumn(points).status().message()); }

TEST(RunConvertTest, NonFiniteValuesAreData) {
  v1::Points points = SomePoints();
  points.set_value(1, std::numeric_limits<double>::quiet_NaN());
  points.set_value(2, -std::numeric_limits<double>::infinity());
  const auto column = ToColumn(points);
  ASSERT_TRUE(column.ok());
  EXPECT_TRUE(std::isnan(column->values[1]));
  v1::Points back;
  Fill(*column, back);
  EXPECT_TRUE(std::isinf(back.value(2)));
}

TEST(RunConvertTest, BadColumnsAreNamedByTheirPlace) {
  v1::Points points = SomePoints();
  points.set_step(2, -1);
  EXPECT_THAT(Complaint(points), StartsWith("step[2]: is -1"));
  points = SomePoints();
  points.add_step(9);
  EXPECT_THAT(Complaint(points), StartsWith("value: has 3 values for 4 steps"));
  points = SomePoints();
  points.set_metric("train loss");
  EXPECT_THAT(Complaint(points), StartsWith("metric: is \"train loss\""));
  points = SomePoints();
  points.set_step(0, kMaxStep + 1);
  EXPECT_THAT(Complaint(points), StartsWith("step[0]: is 9007199254740993"));
}

TEST(RunConvertTest, OnlyAnEndEndsARun) {
  v1::End end;
  EXPECT_THAT(std::string(ToEnd(end).status().message()), StartsWith("state: is 0"));
  end.set_state(v1::Run::RUNNING);
  EXPECT_FALSE(ToEnd(end).ok());
  for (v1::Run::State state : {v1::Run::COMPLETED, v1::Run::FAILED, v1::Run::STOPPED}) {
    end.set_state(state);
    ASSERT_TRUE(ToEnd(end).ok());
    EXPECT_EQ(ToProto(*ToEnd(end)), state);
  }
}

}  // namespace
}  // namespace curvecast
