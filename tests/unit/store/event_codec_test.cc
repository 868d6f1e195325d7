#include "daemon/store/event_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

template <typename Body>
Body Decoded(const Event& event) {
  absl::StatusOr<Event> decoded = DecodeEvent(EncodeEvent(event));
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->time_unix_micros, event.time_unix_micros);
  EXPECT_EQ(decoded->key, event.key);
  return std::get<Body>(decoded->body);
}

TEST(EventCodecTest, GivesBackWhatARunDeclared) {
  for (const Event& event : EventsOfEveryKind()) {
    const auto* opened = std::get_if<RunOpened>(&event.body);
    if (opened == nullptr) continue;
    const auto decoded = Decoded<RunOpened>(event);
    EXPECT_EQ(decoded.spec, opened->spec);
    EXPECT_EQ(decoded.writer, opened->writer);
    EXPECT_EQ(decoded.incarnation, opened->incarnation);
    EXPECT_EQ(decoded.resume_step, opened->resume_step);
  }
}

TEST(EventCodecTest, GivesBackEveryBitOfABatch) {
  for (const Event& event : EventsOfEveryKind()) {
    const auto* batch = std::get_if<BatchAppended>(&event.body);
    if (batch == nullptr) continue;
    const auto decoded = Decoded<BatchAppended>(event);
    EXPECT_EQ(decoded.writer, batch->writer);
    EXPECT_EQ(decoded.incarnation, batch->incarnation);
    EXPECT_EQ(decoded.sequence, batch->sequence);
    EXPECT_EQ(decoded.end, batch->end);
    ASSERT_EQ(decoded.columns.size(), batch->columns.size());
    for (size_t i = 0; i < decoded.columns.size(); ++i) {
      EXPECT_EQ(decoded.columns[i].metric, batch->columns[i].metric);
      EXPECT_EQ(decoded.columns[i].steps, batch->columns[i].steps);
      EXPECT_TRUE(SameBits(decoded.columns[i].values, batch->columns[i].values));
    }
  }
}

TEST(EventCodecTest, GivesBackAForecastWithoutItsPath) {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = 40;
  forecast.progress = 0.25;
  forecast.quantiles = {1, 2, 3, 4, 5};
  forecast.expected_value = 6;
  forecast.path = {{40, 1, 2, 3}};
  forecast.leaned = {12, 3, 1.25};
  const Forecast decoded = Decoded<ForecastMade>({3, {"demo", "plain"}, ForecastMade{forecast}}).forecast;
  EXPECT_EQ(decoded.reason, NotYet::kAnswered);
  EXPECT_EQ(decoded.step, 40);
  EXPECT_EQ(decoded.progress, 0.25);
  EXPECT_THAT(decoded.quantiles, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(decoded.expected_value, 6);
  EXPECT_THAT(decoded.path, IsEmpty());
  EXPECT_EQ(decoded.leaned.relatives, 12);
  EXPECT_EQ(decoded.leaned.siblings, 3);
  EXPECT_EQ(decoded.leaned.factor, 1.25);
}

TEST(EventCodecTest, WhatAForecastCannotHaveLeanedOnIsDamage) {
  const LeanedOn wrong[] = {{2, 3, 1}, {-1, 0, 1}, {3, -1, 1}, {1, 0, -1}, {1, 0, std::nan("")}};
  for (const LeanedOn& leaned : wrong) {
    Forecast forecast;
    forecast.leaned = leaned;
    forecast.reason = NotYet::kAnswered;
    const auto decoded = DecodeEvent(EncodeEvent({3, {"demo", "plain"}, ForecastMade{forecast}}));
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr("siblings"));
  }
}

TEST(EventCodecTest, KeepsWhyThereIsNoForecast) {
  Forecast forecast;
  forecast.reason = NotYet::kOutsideLaw;
  EXPECT_EQ(Decoded<ForecastMade>({3, {"demo", "plain"}, ForecastMade{forecast}}).forecast.reason, NotYet::kOutsideLaw);
}

TEST(EventCodecTest, GivesTheSameBytesForTheSameEvent) {
  Event event = EventsOfEveryKind()[2];
  for (int i = 0; i < 40; ++i) {
    std::get<RunOpened>(event.body).spec.labels.emplace_back("label" + std::to_string(i), "x");
  }
  EXPECT_EQ(EncodeEvent(event), EncodeEvent(Event(event)));
}

TEST(EventCodecTest, RefusesEveryCutOfAnEvent) {
  for (const Event& event : EventsOfEveryKind()) {
    const std::string bytes = EncodeEvent(event);
    for (size_t size = 0; size < std::min<size_t>(bytes.size(), 400); ++size) {
      absl::StatusOr<Event> decoded = DecodeEvent(std::string_view(bytes).substr(0, size));
      // A cut between two fields is an event with less in it, which the journal's checksum is for.
      if (decoded.ok()) {
        EXPECT_NE(EncodeEvent(*decoded), bytes);
      } else {
        EXPECT_TRUE(absl::IsDataLoss(decoded.status())) << decoded.status();
      }
    }
  }
}

TEST(EventCodecTest, SaysWhatIsWrongWithAnEvent) {
  Event event = BatchOf(1, 0, 3);
  std::get<BatchAppended>(event.body).columns[0].values.pop_back();
  EXPECT_THAT(DecodeEvent(EncodeEvent(event)).status().ToString(), HasSubstr("2 values for 3 steps"));

  Event opened = EventsOfEveryKind()[0];
  opened.key.run_id = "another";
  EXPECT_THAT(DecodeEvent(EncodeEvent(opened)).status().ToString(), HasSubstr("names another run"));

  Forecast forecast;
  forecast.reason = static_cast<NotYet>(99);
  EXPECT_THAT(DecodeEvent(EncodeEvent({1, {"a", "b"}, ForecastMade{forecast}})).status().ToString(), HasSubstr("99"));
  EXPECT_THAT(DecodeEvent("").status().ToString(), HasSubstr("no kind"));
}

}  // namespace
}  // namespace curvecast
