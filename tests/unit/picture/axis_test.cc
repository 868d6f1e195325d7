#include "client/cli/picture/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace curvecast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<Tick>& ticks) {
  std::vector<std::string> texts;
  for (const Tick& tick : ticks) texts.push_back(tick.text);
  return texts;
}

TEST(AxisTest, TheSharesOfAnAxisAreEvenInTheValueOrInItsLogarithm) {
  EXPECT_DOUBLE_EQ((Axis{2, 4, false}.Share(3)), 0.5);
  EXPECT_DOUBLE_EQ((Axis{2, 4, false}.Share(5)), 1.5);
  EXPECT_DOUBLE_EQ((Axis{1, 100, true}.Share(10)), 0.5);
  EXPECT_LT((Axis{1, 100, true}.Share(-3)), -1);
}

TEST(AxisTest, TicksAreRoundNumbersWithTheDecimalsThatTellThemApart) {
  EXPECT_THAT(Texts(ValueTicks({1.57, 2.23, false}, 6)), ElementsAre("1.6", "1.7", "1.8", "1.9", "2.0", "2.1", "2.2"));
  EXPECT_THAT(Texts(ValueTicks({-0.011, 0.011, false}, 4)), ElementsAre("-0.010", "-0.005", "0.000", "0.005", "0.010"));
  EXPECT_THAT(Texts(ValueTicks({0, 4e7, false}, 4)), ElementsAre("0", "1e+07", "2e+07", "3e+07", "4e+07"));
}

TEST(AxisTest, ALogarithmicAxisHasDecadesAndOfAFewDecadesTheirHalves) {
  EXPECT_THAT(Texts(ValueTicks({0.05, 2000, true}, 6)), ElementsAre("0.1", "1", "10", "100", "1000"));
  EXPECT_THAT(Texts(ValueTicks({0.9, 30, true}, 6)), ElementsAre("1", "2", "5", "10", "20"));
  EXPECT_THAT(Texts(ValueTicks({2, 9, true}, 4)), ElementsAre("2", "4", "6", "8"));
}

TEST(AxisTest, StepsAreWholeAndBigOnesAreShort) {
  EXPECT_THAT(Texts(StepTicks({0, 3, false}, 8)), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(Texts(StepTicks({0, 4000, false}, 4)), ElementsAre("0", "1000", "2000", "3000", "4000"));
  EXPECT_THAT(Texts(StepTicks({0, 50000, false}, 5)), ElementsAre("0", "10k", "20k", "30k", "40k", "50k"));
  EXPECT_THAT(Texts(StepTicks({0, 2e6, false}, 4)), ElementsAre("0", "0.5M", "1M", "1.5M", "2M"));
}

TEST(AxisTest, AnAxisThatNoNumbersDivideHasNoTicks) {
  EXPECT_THAT(ValueTicks({-1e308, 1e308, false}, 5), IsEmpty());
  EXPECT_LE(ValueTicks({1, 1 + 1e-15, false}, 5).size(), 41u);
}

}  // namespace
}  // namespace curvecast
