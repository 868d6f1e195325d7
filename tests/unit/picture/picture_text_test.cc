#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/picture/svg.h"
#include "client/cli/picture/text_fit.h"

namespace curvecast {
namespace {

using ::testing::ElementsAre;

TEST(EscapeXmlTest, MarkupIsTextAndLettersOfAllScriptsAreKept) {
  EXPECT_EQ(EscapeXml("<script>&\"'"), "&lt;script&gt;&amp;&quot;&#39;");
  EXPECT_EQ(EscapeXml("é 訓練 🚀\t"), "é 訓練 🚀\t");
}

TEST(EscapeXmlTest, WhatXmlCannotHoldIsAQuestionMark) {
  EXPECT_EQ(EscapeXml(std::string_view("a\0\x1b\x7fz", 5)), "a???z");
  EXPECT_EQ(EscapeXml("\xff\xc3"), "??");            // No UTF-8, and cut off.
  EXPECT_EQ(EscapeXml("\xc0\x80"), "??");            // Overlong.
  EXPECT_EQ(EscapeXml("\xed\xa0\x80"), "???");       // A surrogate.
  EXPECT_EQ(EscapeXml("\xef\xbf\xbf"), "???");       // U+FFFF.
  EXPECT_EQ(EscapeXml("\xf4\x90\x80\x80"), "????");  // Beyond Unicode.
}

TEST(SvgWriterTest, NumbersThatNoRendererTakesAreBroughtNear) {
  SvgWriter svg;
  svg.Line("grid", {-0.01, 1e300}, {NAN, -INFINITY});
  EXPECT_EQ(svg.Take(), "<line class=\"grid\" x1=\"0\" y1=\"100000\" x2=\"0\" y2=\"0\"/>\n");
}

TEST(TextFitTest, TextIsCutBetweenCharactersAndSaysSo) {
  EXPECT_EQ(Shortened("short", 100, 10), "short");
  const std::string cut = Shortened(std::string(100, 'a') + "é", 100, 10);
  EXPECT_TRUE(cut.ends_with("a…"));
  EXPECT_LE(TextWidth(cut, 10), 100);
  EXPECT_EQ(Shortened("ééééé", 20, 10), "éé…");
}

TEST(TextFitTest, LinesBreakAtBlanksAndAWordThatIsTooLongAnywhere) {
  EXPECT_THAT(Wrapped("aaaa bbbb cccc", 60, 10, 5), ElementsAre("aaaa bbbb", "cccc"));
  EXPECT_THAT(Wrapped("aaaaaaaaaaaa", 37, 10, 5), ElementsAre("aaaaaa", "aaaaaa"));
  EXPECT_THAT(Wrapped("aaaa bbbb cccc", 30, 10, 2), ElementsAre("aaaa", "bbb…"));
  EXPECT_THAT(Wrapped("", 60, 10, 2), ElementsAre(""));
}

}  // namespace
}  // namespace curvecast
