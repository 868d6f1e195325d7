#include "core/curve/curve.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Loss(Step step) { return 2 + 3 / std::sqrt(1.0 + static_cast<double>(step)); }

Curve Falling(Step from, Step to) {
  Curve curve;
  for (Step s = from; s < to; ++s) curve.Add(s, Loss(s));
  return curve;
}

void ExpectSame(const Curve& a, const Curve& b) {
  ASSERT_EQ(a.bins().size(), b.bins().size());
  for (size_t i = 0; i < a.bins().size(); ++i) {
    EXPECT_EQ(a.bins()[i].first_step, b.bins()[i].first_step);
    EXPECT_EQ(a.bins()[i].count, b.bins()[i].count);
    EXPECT_EQ(std::memcmp(&a.bins()[i].mean, &b.bins()[i].mean, sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(&a.bins()[i].m2, &b.bins()[i].m2, sizeof(double)), 0);
  }
  EXPECT_EQ(a.last_step(), b.last_step());
  EXPECT_EQ(a.points(), b.points());
  EXPECT_EQ(a.non_finite_points(), b.non_finite_points());
}

// Bins are in order and disjoint, and their counts are the points.
void ExpectSound(const Curve& curve) {
  int64_t count = 0;
  Step last = -1;
  for (const Bin& b : curve.bins()) {
    EXPECT_GT(b.first_step, last);
    EXPECT_LE(b.first_step, b.last_step);
    EXPECT_GE(b.mean_step, static_cast<double>(b.first_step) - 1e-6);
    EXPECT_LE(b.mean_step, static_cast<double>(b.last_step) + 1e-6);
    EXPECT_TRUE(std::isfinite(b.mean) && std::isfinite(b.m2) && b.m2 >= 0) << b.mean << " " << b.m2;
    EXPECT_GE(b.count, 1);
    last = b.last_step;
    count += b.count;
  }
  EXPECT_EQ(count, curve.points());
  EXPECT_LE(curve.bins().size(), Curve::kMaxBins);
}

TEST(CurveTest, StartsEmpty) {
  const Curve curve;
  EXPECT_TRUE(curve.empty());
  EXPECT_EQ(curve.last_step(), 0);
  EXPECT_TRUE(std::isnan(curve.last_value()));
  EXPECT_FALSE(curve.ends_non_finite());
}

TEST(CurveTest, KeepsSinglePointsWhileThereAreFew) {
  const Curve curve = Falling(0, 256);
  ASSERT_EQ(curve.bins().size(), 256u);
  EXPECT_EQ(curve.bins()[17].mean, Loss(17));
}

TEST(CurveTest, HoldsAMillionPointsInConstantMemory) {
  const Curve curve = Falling(0, 1'000'000);
  ExpectSound(curve);
  EXPECT_EQ(curve.points(), 1'000'000);
  EXPECT_GE(curve.bins().size(), 100u);
  EXPECT_EQ(curve.last_value(), Loss(999'999));
  // The newest bins are narrow: a thirty-second of the run at most.
  for (const Bin& b : curve.bins()) EXPECT_LE(b.last_step - b.first_step, 1'000'000 / 32);
}

TEST(CurveTest, BinsSumUpWhatFellIntoThem) {
  const Curve curve = Falling(0, 10'000);
  for (const Bin& b : curve.bins()) {
    double sum = 0, squares = 0;
    for (Step s = b.first_step; s <= b.last_step; ++s) sum += Loss(s);
    const double mean = sum / static_cast<double>(b.count);
    for (Step s = b.first_step; s <= b.last_step; ++s) squares += (Loss(s) - mean) * (Loss(s) - mean);
    EXPECT_EQ(b.count, b.last_step - b.first_step + 1);
    EXPECT_NEAR(b.mean, mean, 1e-12);
    EXPECT_NEAR(b.m2, squares, 1e-12 + 1e-9 * squares);
    EXPECT_EQ(b.last_value, Loss(b.last_step));
  }
}

TEST(CurveTest, LatePointsTakeTheirPlace) {
  Curve curve;
  for (Step s : {10, 30, 20, 5}) curve.Add(s, static_cast<double>(s));
  ASSERT_EQ(curve.bins().size(), 4u);
  EXPECT_EQ(curve.bins()[0].mean, 5);
  EXPECT_EQ(curve.bins()[2].mean, 20);
  EXPECT_EQ(curve.last_step(), 30);
  EXPECT_EQ(curve.last_value(), 30);
}

TEST(CurveTest, ShuffledPointsKeepBinsSound) {
  std::mt19937 random(7);
  Curve curve;
  for (int i = 0; i < 5000; ++i) curve.Add(static_cast<Step>(random() % 100'000), 1.0 + static_cast<double>(i % 13));
  ExpectSound(curve);
}

TEST(CurveTest, AStepSeenBeforeIsReplaced) {
  Curve curve;
  curve.Add(1, 5);
  curve.Add(2, 4);
  curve.Add(2, 3);
  EXPECT_EQ(curve.points(), 2);
  EXPECT_EQ(curve.bins()[1].mean, 3);
  EXPECT_EQ(curve.last_value(), 3);
}

TEST(CurveTest, NonFiniteValuesAreCountedAndEnterNoBin) {
  Curve curve;
  curve.Add(1, 5);
  curve.Add(2, kNan);
  curve.Add(3, -kInfinity);
  EXPECT_EQ(curve.points(), 1);
  EXPECT_EQ(curve.non_finite_points(), 2);
  EXPECT_EQ(curve.last_step(), 3);
  EXPECT_TRUE(curve.ends_non_finite());
  curve.Add(4, 4);
  EXPECT_FALSE(curve.ends_non_finite());
  EXPECT_EQ(curve.last_value(), 4);
}

TEST(CurveTest, ANumberReplacesANanAtItsStepAndTheReverse) {
  Curve curve;
  curve.Add(1, 5);
  curve.Add(2, kNan);
  curve.Add(2, 4);
  EXPECT_EQ(curve.non_finite_points(), 0);
  EXPECT_EQ(curve.points(), 2);
  curve.Add(2, kNan);
  EXPECT_EQ(curve.non_finite_points(), 1);
  EXPECT_EQ(curve.points(), 1);
  EXPECT_TRUE(curve.ends_non_finite());
}

TEST(CurveTest, AMillionNansTakeConstantMemory) {
  Curve curve;
  for (Step s = 0; s < 1'000'000; ++s) curve.Add(s, s % 3 == 0 ? 1.0 : kNan);
  ExpectSound(curve);
  EXPECT_EQ(curve.points() + curve.non_finite_points(), 1'000'000);
}

TEST(CurveTest, RewindLeavesNoTraceOfLaterPoints) {
  Curve rewound = Falling(0, 100), never = Falling(0, 60);
  rewound.Add(100, kNan);
  const std::vector<Bin> removed = rewound.Rewind(60);
  EXPECT_EQ(removed.size(), 40u);
  EXPECT_EQ(removed.front().first_step, 60);
  ExpectSame(rewound, never);
  EXPECT_EQ(rewound.last_value(), Loss(59));
  for (Step s = 60; s < 200; ++s) {
    rewound.Add(s, Loss(s));
    never.Add(s, Loss(s));
  }
  ExpectSame(rewound, never);
}

TEST(CurveTest, RewindOfALongRunDropsTheBinThatStraddles) {
  Curve curve = Falling(0, 100'000);
  curve.Rewind(50'000);
  ExpectSound(curve);
  EXPECT_LT(curve.last_step(), 50'000);
  EXPECT_GT(curve.last_step(), 48'000);
  EXPECT_EQ(curve.last_value(), Loss(curve.last_step()));
}

TEST(CurveTest, RewindTakesNansWithIt) {
  Curve curve = Falling(0, 10);
  for (Step s = 10; s < 20; ++s) curve.Add(s, kNan);
  curve.Rewind(15);
  EXPECT_EQ(curve.non_finite_points(), 5);
  EXPECT_EQ(curve.last_step(), 14);
  EXPECT_TRUE(curve.ends_non_finite());
  curve.Rewind(10);
  EXPECT_EQ(curve.non_finite_points(), 0);
  EXPECT_EQ(curve.last_value(), Loss(9));
  curve.Rewind(0);
  EXPECT_TRUE(curve.empty());
  EXPECT_TRUE(std::isnan(curve.last_value()));
}

TEST(CurveTest, RewindPastTheEndChangesNothing) {
  Curve curve = Falling(0, 10);
  EXPECT_TRUE(curve.Rewind(10).empty());
  ExpectSame(curve, Falling(0, 10));
}

TEST(CurveTest, TheSameCallsGiveTheSameBits) { ExpectSame(Falling(0, 12'345), Falling(0, 12'345)); }

TEST(CurveTest, HugeValuesStayFinite) {
  Curve curve;
  constexpr double kMax = std::numeric_limits<double>::max();
  for (Step s = 0; s < 3000; ++s) curve.Add(s, s % 2 == 0 ? kMax : -kMax);
  ExpectSound(curve);
}

TEST(CurveTest, StepsMayReachTheirLimit) {
  Curve curve;
  for (Step s = 0; s < 2000; ++s) curve.Add(kMaxStep - s * (kMaxStep / 2000), 1.0);
  ExpectSound(curve);
  EXPECT_EQ(curve.last_step(), kMaxStep);
}

// Against a plain map of steps, while nothing has been merged.
TEST(CurveTest, ActsLikeAMapOfStepsUntilItMerges) {
  std::mt19937 random(11);
  Curve curve;
  std::map<Step, double> map;
  for (int i = 0; i < 20'000; ++i) {
    const Step step = static_cast<Step>(random() % 120);
    if (random() % 50 == 0) {
      curve.Rewind(step);
      map.erase(map.lower_bound(step), map.end());
    } else {
      const double value = static_cast<double>(random() % 1000);
      curve.Add(step, value);
      map[step] = value;
    }
    ASSERT_EQ(curve.points(), static_cast<int64_t>(map.size()));
    if (map.empty()) continue;
    ASSERT_EQ(curve.last_step(), map.rbegin()->first);
    ASSERT_EQ(curve.last_value(), map.rbegin()->second);
  }
  auto bin = curve.bins().begin();
  for (const auto& [step, value] : map) {
    EXPECT_EQ(bin->first_step, step);
    EXPECT_EQ(bin++->mean, value);
  }
}

}  // namespace
}  // namespace curvecast
