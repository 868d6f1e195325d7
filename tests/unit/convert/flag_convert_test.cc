#include "daemon/convert/flag_convert.h"

#include <gtest/gtest.h>

namespace curvecast {
namespace {

Flag Spike() {
  Flag flag;
  flag.kind = FlagKind::kSpike;
  flag.severity = Severity::kCritical;
  flag.metric = "train/loss";
  flag.began_step = 1;
  flag.raised_step = 2;
  flag.updated_step = 3;
  flag.evidence = {1, 2, 3, 4, 5, 6, 7, 8};
  flag.resolution = Resolution::kReplaced;
  return flag;
}

// The numbers of core's enums are those of the messages: written by one, read as the other.
TEST(FlagConvertTest, TheEnumsOfCoreAreThoseOfTheMessages) {
  for (int kind = 1; kind <= kFlagKinds; ++kind) {
    EXPECT_EQ(NameOf(static_cast<FlagKind>(kind)), v1::Flag::Kind_Name(static_cast<v1::Flag::Kind>(kind)));
  }
  EXPECT_EQ(v1::Flag::Kind_MAX, kFlagKinds);
  for (int number = 1; number <= v1::Flag::Severity_MAX; ++number) {
    EXPECT_EQ(NameOf(static_cast<Severity>(number)), v1::Flag::Severity_Name(static_cast<v1::Flag::Severity>(number)));
  }
  for (int number = 0; number <= v1::Flag::Resolution_MAX; ++number) {
    EXPECT_EQ(NameOf(static_cast<Resolution>(number)),
              v1::Flag::Resolution_Name(static_cast<v1::Flag::Resolution>(number)));
  }
}

TEST(FlagConvertTest, AFlagComesBackWhole) { EXPECT_EQ(ToFlag(ToProto(Spike())).value(), Spike()); }

TEST(FlagConvertTest, WhatIsUnknownOrImpossibleIsNamed) {
  const auto complaint = [](auto change) {
    v1::Flag flag = ToProto(Spike());
    change(flag);
    return std::string(ToFlag(flag).status().message());
  };
  EXPECT_EQ(complaint([](v1::Flag& f) { f.set_kind(static_cast<v1::Flag::Kind>(99)); }),
            "kind: is 99, which is unknown to this version");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.clear_kind(); }), "kind: is 0, which is unknown to this version");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.clear_severity(); }), "severity: is 0, which is unknown to this version");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.set_resolution(static_cast<v1::Flag::Resolution>(6)); }),
            "resolution: is 6, which is unknown to this version");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.clear_metric(); }), "metric: is \"\", no metric's name");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.set_began_step(-1); }), "began_step: is -1; steps are 0 to 2^53");
  EXPECT_EQ(complaint([](v1::Flag& f) { f.set_updated_at_step(kMaxStep + 1); }),
            "updated_at_step: is 9007199254740993; steps are 0 to 2^53");
}

TEST(FlagConvertTest, PeopleSeeTheSentenceTheTimesAndWhatWasDone) {
  BookedFlag booked;
  booked.number = 7;
  booked.flag = Spike();
  booked.raised_at = 1'500'000;
  booked.updated_at = 2'000'000;
  const v1::Flag plain = ToProto(booked);
  EXPECT_EQ(plain.number(), 7);
  EXPECT_EQ(plain.sentence(), Describe(Spike()));
  EXPECT_EQ(plain.raised_at().nanos(), 500'000'000);
  EXPECT_EQ(plain.updated_at().seconds(), 2);
  EXPECT_FALSE(plain.has_acknowledged_at());
  EXPECT_FALSE(plain.has_silenced_until());

  booked.acknowledged_at = 3'000'000;
  booked.acknowledged_by = "ada";
  booked.silenced_until = 4'000'000;
  booked.silenced_by = "grace";
  booked.note = "known";
  const v1::Flag handled = ToProto(booked);
  EXPECT_EQ(handled.acknowledged_at().seconds(), 3);
  EXPECT_EQ(handled.acknowledged_by(), "ada");
  EXPECT_EQ(handled.silenced_until().seconds(), 4);
  EXPECT_EQ(handled.silenced_by(), "grace");
  EXPECT_EQ(handled.note(), "known");
}

}  // namespace
}  // namespace curvecast
