#include "core/watch/divergence.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

// A loss whose reference is right until it rises, and that is smoothed as LossWatch does.
class Loss {
 public:
  bool Add(double level) { return Add(level, level, 1); }
  bool Add(double level, double reference, double rate) {
    smooth_ += 0.25 * (level - smooth_);
    divergence.Add(level, smooth_, reference, sd, rate);
    return divergence.diverging();
  }
  // A fall from 1.5 to 1 over so many points.
  void Fall(int points) {
    for (int i = 0; i < points; ++i) Add(1 + 0.5 * std::exp(-5.0 * i / points));
  }

  double sd = 0.005;
  Divergence divergence;

 private:
  double smooth_ = 1.5;
};

TEST(DivergenceTest, ALossThatRisesDiverges) {
  Loss loss;
  loss.Fall(200);
  ASSERT_FALSE(loss.divergence.diverging());
  int points = 0;
  while (points < 100 && !loss.Add(1 + 0.01 * ++points)) {
  }
  EXPECT_LE(points, 12);
  EXPECT_GE(points, 5);
  EXPECT_GT(loss.divergence.rise(), loss.divergence.threshold());
}

TEST(DivergenceTest, ALossThatFallsDoesNot) {
  Loss loss;
  testing::Dice dice(1);
  for (int i = 0; i < 20'000; ++i) {
    const double law = 1 + 0.5 * std::exp(-i / 4000.0);
    ASSERT_FALSE(loss.Add(law + loss.sd * dice.Normal(), law, 1)) << i;
  }
}

TEST(DivergenceTest, NorDoesOneThatIsAllNoise) {
  Loss loss;
  loss.sd = 0.05;
  testing::Dice dice(2);
  for (int i = 0; i < 50'000; ++i) ASSERT_FALSE(loss.Add(1 + loss.sd * dice.Normal(), 1, 1)) << i;
}

TEST(DivergenceTest, ASpikeOfOnePointIsNone) {
  Loss loss;
  loss.Fall(200);
  EXPECT_FALSE(loss.Add(3, 1, 1));
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(loss.Add(1, 1, 1)) << i;
}

TEST(DivergenceTest, ASpikeThatHalvesIsNone) {
  Loss loss;
  loss.Fall(200);
  for (double spike = 1; spike > 1e-3; spike /= 2) EXPECT_FALSE(loss.Add(1 + spike, 1, 1)) << spike;
}

TEST(DivergenceTest, ARiseThatARisingRateExplainsIsNone) {
  Loss loss;
  for (int i = 0; i < 100; ++i) loss.Add(1, 1, 0.1);
  for (int i = 0; i < 50; ++i) {
    const double rate = 0.1 * std::pow(1.1, std::min(i, 20));
    EXPECT_FALSE(loss.Add(1 + 0.005 * std::min(i, 20), 1 + 0.005 * std::min(i, 20), rate)) << i;
  }
}

TEST(DivergenceTest, AYoungReferenceThatUndershootsIsNoRise) {
  Loss loss;
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(loss.Add(1.2, 0.9, 1)) << "the reference has the loss too low: " << i;
}

TEST(DivergenceTest, RestartedItRisesFromThere) {
  Loss loss;
  loss.Fall(200);
  loss.divergence.Restart(1.3);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(loss.Add(1.3, 1.3, 1)) << i;
  for (int i = 0; i < 20; ++i) loss.Add(1.4, 1.3, 1);
  EXPECT_TRUE(loss.divergence.diverging());
}

}  // namespace
}  // namespace curvecast
