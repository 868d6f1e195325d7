#include "client/cli/picture/limits.h"

#include <gtest/gtest.h>

#include "tests/unit/picture/pictures.h"

namespace curvecast {
namespace {

TEST(LimitsTest, TheFirstStepsOfARunDoNotSetTheScale) {
  const Axis axis = ValueAxis(FallingRun());  // Its first point is at 6.
  EXPECT_FALSE(axis.logarithmic);
  EXPECT_LT(axis.low, 2.04);
  EXPECT_GT(axis.high, 2.5);
  EXPECT_LT(axis.high, 3.5);
}

TEST(LimitsTest, AStartThatIsHardlyHigherIsInSight) {
  RunPicture picture = FallingRun();
  for (PicturePoint& p : picture.curve) p.value = 2 - p.step / 500;
  EXPECT_GT(ValueAxis(picture).high, picture.curve.front().value);
}

TEST(LimitsTest, ASpikeDoesNotSetTheScaleAndARiseDoes) {
  const Axis before = ValueAxis(FallingRun());
  RunPicture spike = FallingRun();
  spike.curve[50].value = 1e19;
  spike.curve[60].value = -1e19;
  EXPECT_NEAR(ValueAxis(spike).high, before.high, 0.3);
  EXPECT_NEAR(ValueAxis(spike).low, before.low, 0.1);
  RunPicture rise = FallingRun();
  for (size_t i = 70; i < 100; ++i) rise.curve[i].value = 4;
  EXPECT_GT(ValueAxis(rise).high, 4);
}

TEST(LimitsTest, ARunThroughManyMagnitudesIsLogarithmicFromItsStartOn) {
  RunPicture picture;
  for (int i = 0; i < 400; ++i) picture.curve.push_back({i * 1.0, 2e3 / std::pow(1 + i, 1.7), 0});
  const Axis axis = ValueAxis(picture);
  EXPECT_TRUE(axis.logarithmic);
  EXPECT_GT(axis.high, 2e3);
  picture.curve[200].value = -1;
  EXPECT_FALSE(ValueAxis(picture).logarithmic) << "not all is positive";
}

TEST(LimitsTest, ACurveThatRisesIsNotCutAtItsTop) {
  RunPicture accuracy = FallingRun();
  for (PicturePoint& p : accuracy.curve) p.value = 1 - 0.3 * p.value / 2;
  const Axis axis = ValueAxis(accuracy);
  EXPECT_GT(axis.high, accuracy.curve.back().value);
  EXPECT_GT(axis.low, accuracy.curve.front().value) << "the first steps lie outside";
}

TEST(LimitsTest, WhatIsForecastIsInSightAndReachesToTheEnd) {
  RunPicture picture = FallingRun();
  EXPECT_EQ(StepAxis(picture).high, 500);
  picture.forecast = {{500, 2.03, 2.04, 2.05}, {1000, 1.9, 2.02, 2.1}};
  EXPECT_EQ(StepAxis(picture).high, 1000);
  EXPECT_LT(ValueAxis(picture).low, 1.9);
}

TEST(LimitsTest, EveryPictureHasALengthAndAHeight) {
  RunPicture picture;
  for (const double value :
       {0.0, 5.0, 1e308, -1e308, static_cast<double>(NAN), static_cast<double>(INFINITY), 1e-320}) {
    picture.curve.push_back({1, value, 0});
    for (const Axis& axis : {StepAxis(picture), ValueAxis(picture)}) {
      EXPECT_GT(axis.high, axis.low);
      EXPECT_TRUE(std::isfinite(axis.high - axis.low));
    }
  }
}

}  // namespace
}  // namespace curvecast
