#include "client/cli/picture/thin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

TEST(ThinTest, ALongSeriesKeepsItsEndsItsExtremesAndItsHoles) {
  std::vector<PicturePoint> series;
  for (int i = 0; i < 100'000; ++i) series.push_back({i * 1.0, std::sin(i * 0.01), 0});
  series[31'234].value = 50;
  series[31'235].value = -50;
  series[70'001].value = NAN;
  const std::vector<PicturePoint> thin = Thinned(series, 0, 100'000, 100);
  EXPECT_LE(thin.size(), 501u);
  EXPECT_EQ(thin.front().step, 0);
  EXPECT_EQ(thin.back().step, 99'999);
  const auto has = [&](double step) {
    return std::any_of(thin.begin(), thin.end(), [&](const PicturePoint& p) { return p.step == step; });
  };
  EXPECT_TRUE(has(31'234) && has(31'235) && has(70'001));
  EXPECT_TRUE(std::is_sorted(thin.begin(), thin.end(), [](auto& a, auto& b) { return a.step < b.step; }));
}

TEST(ThinTest, AShortSeriesComesBackWhole) {
  const std::vector<PicturePoint> series = {{1, 2, 0}, {2, 3, 0}};
  EXPECT_EQ(Thinned(series, 0, 10, 100).size(), 2u);
  EXPECT_EQ(Thinned({}, 0, 10, 100).size(), 0u);
}

}  // namespace
}  // namespace curvecast
