#include "client/cli/picture/flag_marks.h"

#include <gtest/gtest.h>

#include "client/cli/picture/limits.h"
#include "tests/unit/picture/pictures.h"

namespace curvecast {
namespace {

Frame FrameOf(const RunPicture& picture) { return {100, 1000, 0, 300, StepAxis(picture), ValueAxis(picture)}; }

TEST(FlagMarksTest, LabelsThatWouldOverlapStandInLanes) {
  RunPicture picture = FallingRun();
  picture.flags = {FlagAt(1, FlagKind::kSpike, Severity::kWarning, 100, 105, Resolution::kRecovered),
                   FlagAt(2, FlagKind::kSpike, Severity::kWarning, 110, 115, Resolution::kRecovered),
                   FlagAt(3, FlagKind::kSpike, Severity::kWarning, 400, 405, Resolution::kRecovered)};
  const std::vector<FlagPlace> places = PlaceFlags(picture, FrameOf(picture));
  EXPECT_EQ(places[0].lane, 0);
  EXPECT_EQ(places[1].lane, 1);
  EXPECT_EQ(places[2].lane, 0);
  EXPECT_EQ(LanesOf(places), 2);
}

TEST(FlagMarksTest, AnActiveFlagLastsUntilNowAndOneAtTheEdgeIsNamedBeforeItsLine) {
  RunPicture picture = FallingRun();
  picture.flags = {FlagAt(1, FlagKind::kDrift, Severity::kWarning, 250, 300),
                   FlagAt(2, FlagKind::kDivergence, Severity::kCritical, 495, 500)};
  const std::vector<FlagPlace> places = PlaceFlags(picture, FrameOf(picture));
  EXPECT_EQ(places[0].x_end, 1000);
  EXPECT_FALSE(places[0].text_before);
  EXPECT_TRUE(places[1].text_before);
  EXPECT_NE(places[0].lane, places[1].lane);
}

TEST(FlagMarksTest, WhereThereIsNoRoomForAllTheGravestAreNamed) {
  RunPicture picture = FallingRun();
  for (int i = 0; i < 50; ++i) {
    const Severity severity = i == 49 ? Severity::kCritical : Severity::kInfo;
    picture.flags.push_back(FlagAt(i + 1, FlagKind::kSpike, severity, 200, 205, Resolution::kRecovered));
  }
  const std::vector<FlagPlace> places = PlaceFlags(picture, FrameOf(picture));
  EXPECT_EQ(places[49].lane, 0);
  EXPECT_EQ(places[48].lane, -1);
  EXPECT_EQ(LanesOf(places), 7);
}

TEST(FlagMarksTest, ATagSaysNumberKindAndSeverity) {
  EXPECT_EQ(FlagTag(FlagAt(3, FlagKind::kOffLaw, Severity::kCritical, 1, 1)), "#3 OFF_LAW critical");
}

}  // namespace
}  // namespace curvecast
