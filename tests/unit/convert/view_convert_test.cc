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
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(ToGetRunResponse(view), &json).ok());
  EXPECT_EQ(json, R"({"run":{"run":{"project":"p","runId":"r","family":"p","objective":"train/loss"},)"
                  R"("state":"RUNNING","openedAt":"1970-01-01T00:00:01.500Z"}})");
}

}  // namespace
}  // namespace curvecast
