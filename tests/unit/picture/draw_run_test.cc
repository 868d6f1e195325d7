#include "client/cli/picture/draw_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/unit/picture/pictures.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Every element that opens closes, in order.
bool IsBalanced(const std::string& svg) {
  std::vector<std::string> open;
  for (const absl::string_view piece : absl::StrSplit(svg, '<')) {
    absl::string_view tag = piece.substr(0, piece.find('>'));
    if (tag.size() == piece.size() || absl::EndsWith(tag, "/")) continue;  // No tag, or one that closes itself.
    const bool closes = absl::ConsumePrefix(&tag, "/");
    const std::string name(tag.substr(0, tag.find(' ')));
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

RunPicture FullRun() {
  RunPicture picture = FallingRun();
  picture.facts = {"running", "step 500 of 1000 (50 %)"};
  picture.forecast_text = "Forecast of train/loss at step 1000: 2.02";
  picture.expected = {{100, 2.2, 0}, {300, 2.07, 0}};
  picture.forecast = {{500, 2.03, 2.04, 2.05}, {1000, 1.99, 2.02, 2.04}};
  picture.past_forecasts = {{100, 2.1, 0}, {300, 2.0, 0}};
  picture.superseded = {{{200, 2.1, 0}, {250, 2.6, 0}}};
  picture.schedule = {{0, 0}, {100, 0.01}, {1000, 0}};
  picture.schedule_text = "100 warm-up steps, linear";
  picture.flags = {FlagAt(1, FlagKind::kSpike, Severity::kWarning, 200, 210, Resolution::kRecovered),
                   FlagAt(2, FlagKind::kDivergence, Severity::kCritical, 400, 480)};
  return picture;
}

TEST(DrawRunTest, APictureHasTheRunItsLinesItsFlagsAndItsWords) {
  const std::string svg = DrawRun(FullRun());
  EXPECT_TRUE(IsBalanced(svg));
  for (const char* part :
       {"<title id=\"title\">demo/a: train/loss</title>", "running · step 500 of 1000 (50 %)", "class=\"curve\"",
        "class=\"law\"", "class=\"band\"", "class=\"path\"", "class=\"past\"", "class=\"gone\"", "class=\"rates\"",
        "100 warm-up steps, linear", "#2 DIVERGENCE critical", "<g class=\"critical\">", "<g class=\"warning over\">",
        "step 200, recovered at 210", "since step 400", "train/loss is high since step 400.", ">2.020<"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_EQ(svg, DrawRun(FullRun()));
}

TEST(DrawRunTest, AFlagOfAnotherMetricHasALineAndNoRingOnTheCurve) {
  RunPicture picture = FallingRun();
  picture.flags = {FlagAt(1, FlagKind::kGradNorm, Severity::kInfo, 200, 210)};
  const size_t with_ring = Count(DrawRun(picture), "class=\"ring");
  picture.flags[0].flag.metric = "grad_norm";
  const std::string other = DrawRun(picture);
  EXPECT_EQ(Count(other, "class=\"ring") + 1, with_ring);
  EXPECT_THAT(other, HasSubstr("grad_norm"));
}

TEST(DrawRunTest, WhatLiesOutsideIsMarkedWithItsNumberAndWhatIsNoNumberWithACross) {
  RunPicture picture = FallingRun();
  picture.curve[50].value = 1e19;
  picture.curve[60].value = NAN;
  const std::string svg = DrawRun(picture);
  EXPECT_EQ(Count(svg, "class=\"outside\""), 2u) << "the run's start, and the spike";
  EXPECT_THAT(svg, HasSubstr(">1.0e+19</text>"));
  EXPECT_EQ(Count(svg, "class=\"broken\""), 1u);
  EXPECT_THAT(svg, HasSubstr(">NaN</text>"));
}

TEST(DrawRunTest, TextsOfOthersCannotLeaveTheirPlace) {
  RunPicture picture = FullRun();
  picture.name = "<script>alert('x')</script>&\x01\xff";
  picture.facts = {"label = \"><svg onload=x>"};
  picture.metric = "]]><b>";
  picture.flags[0].sentence = "</text><image href='http://x'/>";
  picture.flags[1].note = "<!-- " + std::string(5000, 'n');
  const std::string svg = DrawRun(picture);
  EXPECT_TRUE(IsBalanced(svg));
  for (const char* part : {"<script", "<svg o", "<b>", "<image", "<!--", "\x01", "\xff"}) {
    EXPECT_THAT(svg, Not(HasSubstr(part)));
  }
}

TEST(DrawRunTest, LittleOrHostileDataStillMakesAPicture) {
  RunPicture hostile;
  hostile.curve = {{1, 1e308, NAN}, {2, -1e308, 1e308}, {3, NAN, 0}, {4, INFINITY, 0}};
  hostile.forecast = {{NAN, 1, 2, 3}, {5, NAN, 1, INFINITY}};
  hostile.schedule = {{0, NAN}, {INFINITY, 1}};
  RunPicture three;
  three.curve = {{1, 5, 0}, {2, 4.2, 0}, {3, 3.9, 0}};
  for (const RunPicture& picture : {RunPicture(), three, hostile}) {
    const std::string svg = DrawRun(picture);
    EXPECT_TRUE(IsBalanced(svg));
    EXPECT_THAT(svg, HasSubstr("No flag was raised."));
    EXPECT_THAT(svg, Not(::testing::ContainsRegex("=\"-?(nan|inf)")));
  }
}

TEST(DrawRunTest, ALongSeriesMakesNoLongFile) {
  RunPicture picture;
  for (int i = 0; i < 1'000'000; ++i) picture.curve.push_back({i * 1.0, 2 + 0.1 * std::sin(i * 1.7), 0});
  EXPECT_LT(DrawRun(picture).size(), 120'000u);
}

}  // namespace
}  // namespace curvecast
