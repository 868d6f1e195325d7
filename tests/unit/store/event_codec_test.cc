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

FlagChange Recovered() {
  FlagChange change{FlagChange::What::kResolved, {}};
  change.flag.kind = FlagKind::kSilent;
  change.flag.severity = Severity::kCritical;
  change.flag.metric = "train/loss";
  change.flag.began_step = 1;
  change.flag.raised_step = 2;
  change.flag.updated_step = kMaxStep;
  change.flag.evidence = {1, 2, 3, 4, 5, 6, 7, 8};
  change.flag.resolution = Resolution::kRecovered;
  return change;
}

TEST(EventCodecTest, GivesBackAChangeOfAFlag) {
  EXPECT_EQ(Decoded<FlagChanged>({3, {"demo", "plain"}, FlagChanged{Recovered()}}).change, Recovered());
}

TEST(EventCodecTest, GivesBackWhatAPersonDidWithAFlag) {
  const FlagHandled acknowledged{3, "ada", "known", std::nullopt};
  const auto decoded = Decoded<FlagHandled>({3, {"demo", "plain"}, acknowledged});
  EXPECT_EQ(decoded.number, 3);
  EXPECT_EQ(decoded.by, "ada");
  EXPECT_EQ(decoded.note, "known");
  EXPECT_EQ(decoded.silenced_until, std::nullopt);
  const FlagHandled unsilenced{3, "ada", "", 0};
  EXPECT_EQ(Decoded<FlagHandled>({3, {"demo", "plain"}, unsilenced}).silenced_until, 0);
}

TEST(EventCodecTest, GivesBackThePhaseOfABatch) {
  BatchAppended batch;
  batch.phase = Phase{"eval", 2400};
  EXPECT_EQ(Decoded<BatchAppended>({3, {"demo", "plain"}, batch}).phase, batch.phase);
  EXPECT_EQ(Decoded<BatchAppended>(BatchOf(1, 0, 3)).phase, std::nullopt);
}

TEST(EventCodecTest, AFlagThatThisVersionDoesNotKnowIsDamageWithTheFieldNamed) {
  const auto complaint = [](auto change) {
    FlagChange changed = Recovered();
    change(changed);
    const auto decoded = DecodeEvent(EncodeEvent({3, {"demo", "plain"}, FlagChanged{changed}}));
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss);
    return std::string(decoded.status().message());
  };
  EXPECT_THAT(complaint([](FlagChange& c) { c.what = static_cast<FlagChange::What>(9); }), HasSubstr("what: is 9"));
  EXPECT_THAT(complaint([](FlagChange& c) { c.flag.kind = static_cast<FlagKind>(16); }), HasSubstr("flag.kind: is 16"));
  EXPECT_THAT(complaint([](FlagChange& c) { c.flag.severity = static_cast<Severity>(4); }),
              HasSubstr("flag.severity: is 4"));
  EXPECT_THAT(complaint([](FlagChange& c) { c.flag.resolution = Resolution::kActive; }),
              HasSubstr("flag.resolution: is ACTIVE of a flag that was RESOLVED"));
  EXPECT_THAT(complaint([](FlagChange& c) { c.what = FlagChange::What::kRaised; }),
              HasSubstr("flag.resolution: is RECOVERED of a flag that was RAISED"));
}

TEST(EventCodecTest, WhatNoOneCanHaveDoneWithAFlagAndNoPhaseCanBeIsDamage) {
  const auto handled = DecodeEvent(EncodeEvent({3, {"demo", "plain"}, FlagHandled{0, "ada", "", std::nullopt}}));
  EXPECT_EQ(handled.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(handled.status().message()), HasSubstr("number: is 0"));
  BatchAppended batch;
  batch.phase = Phase{"eval", -1};
  const auto phase = DecodeEvent(EncodeEvent({3, {"demo", "plain"}, batch}));
  EXPECT_EQ(phase.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(phase.status().message()), HasSubstr("phase.max_seconds: is -1"));
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
