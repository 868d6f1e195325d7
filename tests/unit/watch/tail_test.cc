#include "core/watch/tail.h"

#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

using testing::Dice;

// After so many of these residuals.
Tail Taught(int points, uint64_t seed, const std::function<double(Dice&)>& residual) {
  Dice dice(seed);
  Tail tail;
  for (int i = 0; i < points; ++i) tail.Add(residual(dice));
  return tail;
}

// Over the scale that makes the clipped second moment that of the normal, found by simulation.
double ScaleOf(const std::function<double(Dice&)>& residual) {
  Dice dice(99);
  std::vector<double> sample(200'000);
  for (double& s : sample) s = residual(dice);
  double low = 0.2, high = 5;
  for (int k = 0; k < 30; ++k) {
    const double scale = 0.5 * (low + high);
    double sum = 0;
    for (double s : sample) sum += std::min(9.0, s * s / (scale * scale));
    (sum / static_cast<double>(sample.size()) > 0.9951 ? low : high) = scale;
  }
  return high;
}

Tail TaughtT(double freedom, int points, uint64_t seed) {
  const auto t = [freedom](Dice& dice) { return dice.StudentT(freedom); };
  static std::map<double, double> scales;
  if (!scales.contains(freedom)) scales[freedom] = ScaleOf(t);
  const double scale = scales[freedom];
  return Taught(points, seed, [&](Dice& dice) { return t(dice) / scale; });
}

TEST(TailTest, WithoutResidualsItIsTheNormal) {
  const Tail tail;
  EXPECT_EQ(tail.model(), Tail::kModels - 1);
  EXPECT_NEAR(tail.Threshold(0.05), 1.644854, 1e-5);
  EXPECT_NEAR(tail.Threshold(1e-3), 3.090232, 1e-5);
  EXPECT_NEAR(tail.Threshold(1e-6), 4.753424, 1e-5);
  EXPECT_NEAR(tail.Threshold(1e-9), 5.997807, 1e-5);
  EXPECT_NEAR(tail.Threshold(1e-14), 7.650628, 1e-4);
}

// Quantiles of Student's t (tables): the scale drops out of their ratio.
// Those of the heaviest model are its own; any other but the normal is half the next heavier one, so that a truth
// between two of them is paid for.
TEST(TailTest, HeavyTailsHaveTheQuantilesOfStudentsTAndOfTheNextHeavier) {
  const Tail two = TaughtT(2, 3000, 1);
  ASSERT_EQ(two.model(), 0u);
  EXPECT_NEAR(two.Threshold(0.001) / two.Threshold(0.05), 22.32712 / 2.919986, 1e-4);
  const Tail four = TaughtT(4, 6000, 1);
  ASSERT_EQ(four.model(), 1u);
  const double ratio = four.Threshold(0.001) / four.Threshold(0.05);
  EXPECT_GT(ratio, 1.2 * 7.173182 / 2.131847);
  EXPECT_LT(ratio, 22.32712 / 2.919986);
}

TEST(TailTest, NormalResidualsStayNormal) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Tail tail = Taught(5000, seed, [](Dice& dice) { return dice.Normal(); });
    EXPECT_EQ(tail.model(), Tail::kModels - 1) << seed;
  }
}

TEST(TailTest, NearlyNoNormalRunIsTakenForAHeavyOneOnTheWay) {
  int heavy = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Dice dice(seed);
    Tail tail;
    size_t heaviest = tail.model();
    for (int i = 0; i < 1000; ++i) {
      tail.Add(dice.Normal());
      heaviest = std::min(heaviest, tail.model());
    }
    heavy += heaviest < Tail::kModels - 2;
  }
  EXPECT_LE(heavy, 6);
}

TEST(TailTest, HeavyTailsAreFoundWithinSomeHundredPoints) {
  int three = 0, five = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    three += TaughtT(3, 500, seed).model() <= 2;
    five += TaughtT(5, 2000, seed).model() <= 2;
  }
  EXPECT_GE(three, 36);
  EXPECT_GE(five, 36);
}

TEST(TailTest, OneOutlierThatPassesForNoSpikeIsNoHeavyTail) {
  Dice dice(3);
  Tail tail;
  for (int i = 0; i < 500; ++i) tail.Add(i == 250 ? 4.9 : dice.Normal());
  EXPECT_GE(tail.model(), Tail::kModels - 2);
}

TEST(TailTest, ThresholdsRiseWithTheRarityAndWithTheTail) {
  const std::vector<Tail> heavier = {Tail(), TaughtT(4, 6000, 1), TaughtT(2, 3000, 1)};
  for (const Tail& tail : heavier) {
    double before = 0;
    for (double p = 0.09; p > 1e-14; p *= 0.3) {
      const double threshold = tail.Threshold(p);
      EXPECT_GT(threshold, before) << p;
      before = threshold;
    }
  }
  for (size_t i = 1; i < heavier.size(); ++i) {
    EXPECT_GT(heavier[i].Threshold(1e-6), heavier[i - 1].Threshold(1e-6));
    EXPECT_LT(heavier[i].clip(), heavier[i - 1].clip());
    EXPECT_LE(heavier[i].largest_shift(), heavier[i - 1].largest_shift());
  }
}

// What the e-detector needs of a clipped score: E exp(d s - d^2 / 2) <= 1 for the shifts that are tried.
TEST(TailTest, ClippedScoresAreTriedAgainstNoLargerShiftThanTheyBear) {
  for (const double freedom : {0.0, 2.0, 4.0}) {
    const Tail tail = freedom == 0 ? Tail() : TaughtT(freedom, 6000, 1);
    const auto t = [freedom](Dice& dice) { return freedom == 0 ? dice.Normal() : dice.StudentT(freedom); };
    const double scale = freedom == 0 ? 1 : ScaleOf(t);
    for (const double shift : {0.25, 0.5, 1.0}) {
      if (shift > tail.largest_shift()) continue;
      Dice dice(7);
      double sum = 0;
      constexpr int kDraws = 400'000;
      for (int i = 0; i < kDraws; ++i) {
        sum += std::exp(shift * std::clamp(t(dice) / scale, -tail.clip(), tail.clip()) - 0.5 * shift * shift);
      }
      EXPECT_LE(sum / kDraws, 1.01) << freedom << " " << shift;
    }
  }
}

TEST(TailTest, WhatIsLongPastIsForgotten) {
  Dice dice(5);
  Tail tail = TaughtT(3, 2000, 5);
  ASSERT_LE(tail.model(), 2u);
  for (int i = 0; i < 60'000; ++i) tail.Add(dice.Normal());
  EXPECT_EQ(tail.model(), Tail::kModels - 1);
}

}  // namespace
}  // namespace curvecast
