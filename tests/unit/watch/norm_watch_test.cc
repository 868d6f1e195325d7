#include "core/watch/norm_watch.h"

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

constexpr double kMeanPoints = 1e6;

class Norms {
 public:
  explicit Norms(uint64_t seed) : dice_(seed) {}

  // So many norms about `factor`, with a scatter of their logarithm.
  void Add(int points, double factor, double scatter) {
    for (int i = 0; i < points; ++i) AddOne(factor * std::exp(scatter * dice_.Normal()));
  }
  void AddOne(double norm) { watch.Add(++step, norm, kMeanPoints, changes); }

  NormWatch watch{"grad_norm"};
  std::vector<FlagChange> changes;
  Step step = 0;

 private:
  testing::Dice dice_;
};

TEST(NormWatchTest, NormsThatScatterAreNoNews) {
  for (const double scatter : {0.05, 0.2, 0.5}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      Norms norms(seed);
      norms.Add(20'000, 0.7, scatter);
      EXPECT_TRUE(norms.changes.empty()) << scatter << " " << seed;
    }
  }
}

TEST(NormWatchTest, NorAreNormsThatFallOrRiseSlowly) {
  Norms norms(1);
  for (int i = 0; i < 4000; ++i) norms.Add(1, 20 * std::exp(-i / 500.0) + 0.2, 0.1);
  for (int i = 0; i < 10'000; ++i) norms.Add(1, 0.2 * (1 + i / 2500.0), 0.1);
  EXPECT_TRUE(norms.changes.empty());
}

TEST(NormWatchTest, OneNormFarAboveIsABurst) {
  Norms norms(2);
  norms.Add(500, 0.7, 0.2);
  norms.AddOne(50);
  ASSERT_EQ(norms.changes.size(), 1u);
  const Flag& flag = norms.changes[0].flag;
  EXPECT_EQ(flag.kind, FlagKind::kGradNorm);
  EXPECT_EQ(flag.metric, "grad_norm");
  EXPECT_EQ(flag.began_step, 501);
  EXPECT_EQ(flag.raised_step, 501);
  EXPECT_EQ(flag.evidence.seen, 50);
  EXPECT_NEAR(flag.evidence.expected, 0.7, 0.1);
  EXPECT_GE(flag.evidence.statistic, flag.evidence.threshold);
  norms.Add(60, 0.7, 0.2);
  ASSERT_EQ(norms.changes.size(), 2u);
  EXPECT_EQ(norms.changes[1].flag.resolution, Resolution::kRecovered);
}

TEST(NormWatchTest, NormsThatAreHighForSomeTimeAreFlagged) {
  Norms norms(3);
  norms.Add(500, 0.7, 0.2);
  norms.Add(40, 5, 0.2);
  ASSERT_EQ(norms.changes.size(), 1u);
  EXPECT_GT(norms.changes[0].flag.began_step, 500);
  EXPECT_LE(norms.changes[0].flag.raised_step, 520);
  norms.Add(100, 0.7, 0.2);
  ASSERT_EQ(norms.changes.size(), 2u);
  EXPECT_EQ(norms.changes[1].what, FlagChange::What::kResolved);
}

TEST(NormWatchTest, WhileItIsUpWhatIsUsualStandsStill) {
  Norms norms(4);
  norms.Add(500, 0.7, 0.2);
  norms.Add(5000, 20, 0.2);
  EXPECT_EQ(norms.changes.size(), 1u) << "still up";
  norms.Add(60, 0.7, 0.2);
  EXPECT_EQ(norms.changes.size(), 2u);
}

TEST(NormWatchTest, NoNumberIsFlaggedOnceItHasLearned) {
  Norms norms(5);
  norms.AddOne(std::numeric_limits<double>::quiet_NaN());
  norms.AddOne(0);
  norms.AddOne(-1);
  EXPECT_TRUE(norms.changes.empty());
  norms.Add(100, 0.7, 0.2);
  norms.AddOne(std::numeric_limits<double>::infinity());
  ASSERT_EQ(norms.changes.size(), 1u);
  norms.AddOne(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(norms.changes.size(), 1u);
  norms.Add(60, 0.7, 0.2);
  EXPECT_EQ(norms.changes.size(), 2u);
}

TEST(NormWatchTest, ClippedNormsThatDoNotScatterAreNoTrouble) {
  Norms norms(6);
  for (int i = 0; i < 5000; ++i) norms.AddOne(1);
  EXPECT_TRUE(norms.changes.empty());
  norms.AddOne(1.5);
  EXPECT_TRUE(norms.changes.empty()) << "a factor of 1.5 is no burst";
}

TEST(NormWatchTest, ARewindTakesItAway) {
  Norms norms(7);
  norms.Add(500, 0.7, 0.2);
  norms.AddOne(100);
  norms.watch.Supersede(400, norms.changes);
  ASSERT_EQ(norms.changes.size(), 2u);
  EXPECT_EQ(norms.changes[1].flag.resolution, Resolution::kSuperseded);
}

}  // namespace
}  // namespace curvecast
