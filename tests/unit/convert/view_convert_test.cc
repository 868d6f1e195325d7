#include "daemon/convert/view_convert.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

namespace curvecast {
namespace {

Forecast Answer() {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = 50;
  forecast.progress = 0.5;
  forecast.quantiles = {1, 2, 3, 4, 5};
  forecast.expected_value = 3.5;
  forecast.path = {{50, 2, 3, 4}, {100, 1, 3, 5}};
  forecast.leaned = {12, 3, 1.25};
  return forecast;
}

TEST(ViewConvertTest, QuantilesAreNamedByTheirLevel) {
  const v1::Forecast proto = ToProto(Answer(), WithPath::kYes);
  EXPECT_EQ(proto.status(), v1::Forecast::OK);
  EXPECT_EQ(proto.quantiles().at("0.05"), 1);
  EXPECT_EQ(proto.quantiles().at("0.5"), 3);
  EXPECT_EQ(proto.quantiles().at("0.95"), 5);
  ASSERT_EQ(proto.path_size(), 2);
  EXPECT_EQ(proto.path(1).p95(), 5);
  EXPECT_EQ(proto.relatives(), 12);
  EXPECT_EQ(proto.siblings(), 3);
  EXPECT_EQ(ToProto(Answer(), WithPath::kNo).path_size(), 0);
}

TEST(ViewConvertTest, NotYetHasAReasonAndNoNumbers) {
  Forecast forecast = Answer();
  forecast.reason = NotYet::kWarmup;
  const v1::Forecast proto = ToProto(forecast, WithPath::kYes);
  EXPECT_EQ(proto.status(), v1::Forecast::NOT_YET);
  EXPECT_FALSE(proto.reason().empty());
  EXPECT_TRUE(proto.quantiles().empty());
}

TEST(ViewConvertTest, ARunWithoutPointsSaysNeitherStepNorValue) {
  RunView view;
  RunSpec spec;
  spec.key = {"p", "r"};
  Normalize(spec);
  view.spec = std::make_shared<const RunSpec>(spec);
  view.history = std::make_shared<const std::vector<Forecast>>();
  view.opened_at_unix_micros = 1'500'000;
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(ToGetRunResponse(view, 0), &json).ok());
  EXPECT_EQ(json, R"({"run":{"run":{"project":"p","runId":"r","family":"p","objective":"train/loss"},)"
                  R"("state":"RUNNING","openedAt":"1970-01-01T00:00:01.500Z"}})");
}

TEST(ViewConvertTest, ASummaryHasTheFlagsThatAreShownAndARunHasAll) {
  RunView view;
  RunSpec spec;
  spec.key = {"p", "r"};
  Normalize(spec);
  view.spec = std::make_shared<const RunSpec>(spec);
  view.history = std::make_shared<const std::vector<Forecast>>();
  auto flags = std::make_shared<std::vector<BookedFlag>>(3);
  for (size_t i = 0; i < flags->size(); ++i) (*flags)[i].number = static_cast<int64_t>(i) + 1;
  (*flags)[1].flag.severity = Severity::kCritical;
  (*flags)[2].silenced_until = 1000;
  view.flags = flags;
  view.deviation_sigma = 6.5;
  view.phase = Phase{"eval", 10};
  view.phase_began_at_unix_micros = 500;
  v1::GetRunResponse response = ToGetRunResponse(view, 999);
  ASSERT_EQ(response.run().flags_size(), 2);
  EXPECT_EQ(response.run().flags(0).number(), 2) << "the gravest first";
  EXPECT_EQ(response.flags_size(), 3);
  EXPECT_EQ(response.run().deviation_sigma(), 6.5);
  EXPECT_EQ(response.run().phase().name(), "eval");
  response = ToGetRunResponse(view, 1000);
  EXPECT_EQ(response.run().flags_size(), 3) << "the silence has run out, though the view is the same";
  EXPECT_FALSE(ToGetRunResponse(view, 10'000'501).run().has_phase()) << "it takes longer than it said";
}

TEST(ViewConvertTest, AWhatIfSaysOnlyWhatWasAsked) {
  EXPECT_EQ(*ToWhatIf(v1::ForecastRunRequest()), WhatIf{});
  v1::ForecastRunRequest request;
  request.set_total_steps(0);
  request.set_decay(v1::Schedule::EXPONENTIAL);
  request.set_decay_start_step(0);
  request.set_final_lr(0);
  const WhatIf expected{.total_steps = 0, .decay = Decay::kExponential, .decay_start_step = 0, .final_lr = 0.0};
  EXPECT_EQ(*ToWhatIf(request), expected);
  request.set_decay(static_cast<v1::Schedule::Decay>(77));
  EXPECT_EQ(ToWhatIf(request).status().message().substr(0, 12), "decay: is 77");
  v1::ForecastRunRequest whole;
  whole.mutable_schedule()->set_peak_lr(2);
  whole.mutable_schedule()->set_warmup_steps(3);
  EXPECT_EQ(ToWhatIf(whole)->schedule, (ScheduleSpec{.peak_lr = 2, .warmup_steps = 3}));
  whole.mutable_schedule()->set_decay(static_cast<v1::Schedule::Decay>(77));
  EXPECT_EQ(ToWhatIf(whole).status().message().substr(0, 21), "schedule.decay: is 77");
}

}  // namespace
}  // namespace curvecast
