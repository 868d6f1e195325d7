#include "client/cli/duration.h"

#include <gtest/gtest.h>

namespace curvecast {
namespace {

TEST(DurationTest, ATimeIsANumberAndItsUnit) {
  EXPECT_EQ(*ParseDuration("90s"), 90);
  EXPECT_EQ(*ParseDuration("30m"), 1800);
  EXPECT_EQ(*ParseDuration("1.5h"), 5400);
  EXPECT_EQ(*ParseDuration("1d"), 86400);
  EXPECT_EQ(*ParseDuration("0"), 0);
}

TEST(DurationTest, WhatIsNoTimeIsNamed) {
  for (const char* text : {"", "h", "5", "-1h", "5 m", "1h30m", "1e3s", "infh", "nans", "366d"}) {
    const auto seconds = ParseDuration(text);
    ASSERT_FALSE(seconds.ok()) << text;
    EXPECT_NE(std::string(seconds.status().message()).find("\"" + std::string(text) + "\""), std::string::npos);
  }
}

}  // namespace
}  // namespace curvecast
