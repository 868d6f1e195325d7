#include "core/watch/noise.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

using testing::NoiseCourse;

// Learns from points that are nothing but noise, as the reference would hand them over.
class Learner {
 public:
  explicit Learner(const Noise& noise) : noise_(noise) {}
  void Add(double point) {
    const double rho = any_ ? noise_.correlation() : 0;
    const double sd = any_ ? std::sqrt(noise_.variance()) : noise_.point_sd();
    noise_.Add((point - rho * before_) / sd, 1);
    before_ = point;
    any_ = true;
  }
  const Noise& noise() const { return noise_; }

 private:
  Noise noise_;
  double before_ = 0;
  bool any_ = false;
};

Noise Learned(const testing::NoiseLaw& law, int points, uint64_t seed) {
  NoiseCourse course(law, seed);
  Learner learner(Noise(0.01, 4));
  for (int i = 0; i < points; ++i) learner.Add(course.Next());
  return learner.noise();
}

TEST(NoiseTest, TheScaleIsFoundFromAGuessThatIsFarOff) {
  for (const double sd : {0.001, 0.01, 0.05}) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const Noise noise = Learned({.sd = sd}, 1000, seed);
      EXPECT_NEAR(noise.point_sd() / sd, 1, 0.3) << sd << " " << seed;
      sum += noise.point_sd() / sd / 20;
    }
    EXPECT_NEAR(sum, 1, 0.05) << sd;
  }
}

TEST(NoiseTest, TheCorrelationOfNeighboursIsFound) {
  for (const double rho : {0.0, 0.3, 0.5, 0.8}) {
    double correlation = 0, sd = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const Noise noise = Learned({.sd = 0.01, .correlation = rho}, 3000, seed);
      correlation += noise.correlation() / 20;
      sd += noise.point_sd() / 0.01 / 20;
    }
    EXPECT_NEAR(correlation, rho, 0.05) << rho;
    EXPECT_NEAR(sd, 1, 0.1) << rho;
  }
}

TEST(NoiseTest, ACorrelationBelowZeroIsTakenForNone) {
  Learner learner(Noise(1, 4));
  testing::Dice dice(1);
  double before = 0;
  for (int i = 0; i < 3000; ++i) {
    const double own = dice.Normal();
    learner.Add(own - 0.6 * before);
    before = own;
  }
  EXPECT_EQ(learner.noise().correlation(), 0);
}

TEST(NoiseTest, ASingleOutlierHardlyMovesIt) {
  Learner learner(Noise(0.01, 4));
  NoiseCourse course({.sd = 0.01, .correlation = 0.3}, 1);
  for (int i = 0; i < 1000; ++i) learner.Add(course.Next());
  const Noise before = learner.noise();
  learner.Add(100 * 0.01);
  EXPECT_LT(learner.noise().point_sd() / before.point_sd(), 1.06);
  EXPECT_NEAR(learner.noise().correlation(), before.correlation(), 0.03);
}

TEST(NoiseTest, WhatIsTheReferencesOwnDoubtIsNotTakenForNoise) {
  Noise noise(1, 4);
  for (int i = 0; i < 1000; ++i) noise.Add(3, 0);
  EXPECT_EQ(noise.variance(), 1);
  EXPECT_EQ(noise.correlation(), Noise::kUsualCorrelation);
}

TEST(NoiseTest, ResidualsFarOutMakeItsTailsHeavy) {
  Noise noise(1, 4);
  EXPECT_EQ(noise.tail().model(), Tail::kModels - 1);
  for (int i = 0; i < 1000; ++i) noise.Add(50, 1);
  EXPECT_EQ(noise.tail().model(), 0u);
}

TEST(NoiseTest, WhatTheReferenceDidNotKnowYetSaysNothingOfTheTails) {
  testing::Dice dice(3);
  Noise noise(0.01, 4);
  for (int i = 0; i < 300; ++i) noise.Add(i < 20 ? 8 : dice.Normal(), i < 20 ? 0.2 : 0.99);
  EXPECT_EQ(noise.tail().model(), Tail::kModels - 1);
}

TEST(NoiseTest, AScaleThatIsMostlyTheReferencesDoubtIsStillFoundInTime) {
  // The first points of a run: half of an innovation's variance is noise, which was guessed three times too large.
  double sum = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    testing::Dice dice(seed);
    Noise noise(0.03, 4);
    for (int i = 0; i < 60; ++i) {
      const double doubt = 0.01, truth = std::hypot(0.01, doubt);
      const double believed = std::hypot(std::sqrt(noise.variance()), doubt);
      noise.Add(dice.Normal() * truth / believed, noise.variance() / (believed * believed));
    }
    sum += std::sqrt(noise.variance()) / 0.01 / 50;
  }
  EXPECT_LT(sum, 1.38);  // 1.31; 1.45 if each point counted as one of nothing but noise.
  EXPECT_GT(sum, 1);
}

TEST(NoiseTest, FarOutCountsLessWhileFewPointsHaveToldTheScale) {
  const Noise guess(1, 4);
  EXPECT_NEAR(guess.NormalScore(0.1), 0.1, 0.001);
  EXPECT_EQ(guess.NormalScore(-5), -5);
  EXPECT_LT(guess.NormalScore(8), 5);
  EXPECT_GT(guess.NormalScore(80), guess.NormalScore(8));
  const Noise known = Learned({.sd = 0.01}, 1000, 1);
  EXPECT_NEAR(known.NormalScore(6), 6, 0.1);
  EXPECT_LT(known.NormalScore(6), 6);
}

TEST(NoiseTest, AFirstGuessIsOfAPointGivenTheOneBefore) {
  for (const double rho : {0.0, Noise::kUsualCorrelation, 0.5}) {
    NoiseCourse course({.sd = 0.01, .correlation = rho}, 7);
    std::vector<double> levels;
    for (int i = 0; i < 20'000; ++i) levels.push_back(3.0 / (1 + i) + course.Next());
    const double truth = 0.01 * std::sqrt(1 - rho * rho);
    // A seventh more than white noise has, and as much less than noise that correlates by a half.
    EXPECT_NEAR(GuessScale(levels) / truth, rho == 0.0 ? 1.13 : rho == 0.5 ? 0.85 : 1, 0.05) << rho;
  }
}

TEST(NoiseTest, ItNeverBecomesZeroOrInfinite) {
  Learner still(Noise(0.01, 4)), wild(Noise(0.01, 4));
  for (int i = 0; i < 100'000; ++i) {
    still.Add(0);
    wild.Add(i % 3 == 0 ? 700 : -700);  // The logs of all doubles.
  }
  EXPECT_GT(still.noise().point_sd(), 0);
  EXPECT_NEAR(wild.noise().point_sd(), 700, 300);
  EXPECT_LE(wild.noise().correlation(), Noise::kMostCorrelation);
}

}  // namespace
}  // namespace curvecast
