#include "core/calibrate/interval.h"

#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

constexpr double kHalfWidth = 1.6448536269514722;

// What a source's forecasts miss by whose intervals are `times` too narrow.
std::vector<Outcome> Simulated(const std::string& source, double times, int n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Outcome> outcomes;
  for (int i = 0; i < n; ++i) {
    outcomes.push_back({.source = source,
                        .family = source + std::to_string(i % 10),
                        .kind = RateKind::kUnknown,
                        .support = Support::kNone,
                        .progress = 0.5,
                        .miss = times * std::fabs(normal(random)) / kHalfWidth});
  }
  return outcomes;
}

double Covered(const std::vector<Outcome>& outcomes, double factor) {
  double covered = 0;
  for (const Outcome& o : outcomes) covered += o.miss <= factor ? 1 : 0;
  return covered / static_cast<double>(outcomes.size());
}

TEST(MissTest, IsTheDistanceFromTheMedianInHalvesOfTheInterval) {
  Forecast f;
  f.quantiles = {1 / 1.21, 0.95, 1, 1.02, 1.1};
  EXPECT_NEAR(Miss(f, 1.1), 1, 1e-12);
  EXPECT_NEAR(Miss(f, 1.21), 2, 1e-12);
  EXPECT_NEAR(Miss(f, 1 / 1.21), 1, 1e-12);
  EXPECT_EQ(Miss(f, 1), 0);
  f.quantiles = {1, 1, 1, 1, 1};
  EXPECT_TRUE(std::isfinite(Miss(f, 2)));
}

TEST(BucketTest, IsTheNearest) {
  EXPECT_EQ(BucketOf(0), 0u);
  EXPECT_EQ(BucketOf(0.21), 1u);
  EXPECT_EQ(BucketOf(0.5), 3u);
  EXPECT_EQ(BucketOf(1), 6u);
}

TEST(LearnFactorsTest, NineInTenAreHeldOfOutcomesThatWereNotLearnedFrom) {
  for (const double times : {1.2, 2.0, 3.0}) {
    std::vector<Outcome> learned, fresh;
    unsigned seed = 0;
    for (const char* source : {"a", "b", "c"}) {
      for (const Outcome& o : Simulated(source, times, 400, ++seed)) learned.push_back(o);
      for (const Outcome& o : Simulated(source, times, 2000, 100 + seed)) fresh.push_back(o);
    }
    Prior prior = Prior::Shipped();
    LearnFactors(learned, prior);
    const double factor = prior.Of(RateKind::kUnknown).factors[0][BucketOf(0.5)];
    EXPECT_NEAR(factor, times, 0.1 * times);
    EXPECT_NEAR(Covered(fresh, factor), 0.9, 0.025);
  }
}

TEST(LearnFactorsTest, NeverMakesAnIntervalNarrowerThanTheMixture) {
  std::vector<Outcome> outcomes;
  for (const char* source : {"a", "b", "c"}) {
    for (const Outcome& o : Simulated(source, 0.5, 400, 1)) outcomes.push_back(o);
  }
  Prior prior = Prior::Shipped();
  LearnFactors(outcomes, prior);
  EXPECT_EQ(prior.Of(RateKind::kUnknown).factors[0][BucketOf(0.5)], 1);
}

TEST(LearnFactorsTest, SourcesWeighAlikeHoweverManyRunsTheyHave) {
  std::vector<Outcome> outcomes;
  for (const auto& [source, times, n] : {std::tuple{"a", 1.0, 5000}, {"b", 2.0, 200}, {"c", 4.0, 200}}) {
    for (const Outcome& o : Simulated(source, times, n, 9)) outcomes.push_back(o);
  }
  Prior prior = Prior::Shipped();
  LearnFactors(outcomes, prior);
  EXPECT_NEAR(prior.Of(RateKind::kUnknown).factors[0][3], 2, 0.25);
}

TEST(LearnFactorsTest, TooFewSourcesLeaveWhatWas) {
  Prior prior = Prior::Shipped();
  prior.Of(RateKind::kUnknown).factors[0][3] = 1.75;
  LearnFactors(Simulated("a", 3, 500, 1), prior);
  EXPECT_EQ(prior.Of(RateKind::kUnknown).factors[0][3], 1.75);
  EXPECT_EQ(prior.Of(RateKind::kKnown).factors[0][3], 1.75) << "the other kind takes those of kUnknown";
}

TEST(LearnFactorsTest, WhatIsNoNumberIsPassedOver) {
  std::vector<Outcome> outcomes;
  for (const char* source : {"a", "b", "c"}) {
    for (const Outcome& o : Simulated(source, 2, 200, 4)) outcomes.push_back(o);
  }
  Prior clean = Prior::Shipped(), dirty = Prior::Shipped();
  LearnFactors(outcomes, clean);
  Outcome bad = outcomes.front();
  for (const double miss : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    bad.miss = miss;
    outcomes.push_back(bad);
  }
  LearnFactors(outcomes, dirty);
  EXPECT_EQ(dirty.Format(), clean.Format());
}

TEST(ProjectMissesTest, NoneChangeNothingAndFewChangeLittle) {
  const IntervalFactors prior = {0.9, 1, 1.1, 1.2, 1.1, 1, 0.9};
  ProjectMisses misses;
  EXPECT_EQ(misses.Factors(prior), prior);
  for (int i = 0; i < 3; ++i) misses.Add(0.5, 0.4, kNoFactors);
  EXPECT_NEAR(misses.Factors(prior)[3], 1.2, 0.12);
  ProjectMisses odd;
  odd.Add(0.5, 50, kNoFactors);
  EXPECT_GT(odd.Factors(prior)[3], 1.2);
  EXPECT_LT(odd.Factors(prior)[3], 1.5);
  EXPECT_EQ(odd.Factors(prior)[2], 1.1) << "another bucket";
}

TEST(ProjectMissesTest, ManyDecide) {
  for (const double times : {0.6, 1.0, 2.5}) {
    double covered = 0;
    constexpr unsigned kProjects = 20;
    for (unsigned seed = 1; seed <= kProjects; ++seed) {
      ProjectMisses misses;
      for (const Outcome& o : Simulated("p", times, 250, seed)) misses.Add(0.5, o.miss, kNoFactors);
      covered += Covered(Simulated("p", times, 1000, 100 + seed), misses.Factors(kNoFactors)[3]) / kProjects;
    }
    EXPECT_NEAR(covered, 0.9, 0.03) << times;  // The prior's thirty still count.
  }
}

// A miss is one of an interval that had been widened already.
TEST(ProjectMissesTest, AMissIsTakenInTermsOfTheFactorsItWasMadeWith) {
  ProjectMisses plain, widened;
  IntervalFactors twice = kNoFactors;
  twice.fill(2);
  for (const Outcome& o : Simulated("p", 2.5, 100, 3)) {
    plain.Add(0.5, o.miss, kNoFactors);
    widened.Add(0.5, o.miss / 2, twice);
  }
  EXPECT_NEAR(widened.Factors(kNoFactors)[3], plain.Factors(kNoFactors)[3], 1e-9);
}

TEST(ProjectMissesTest, AreBoundedAndSoAreTheirFactors) {
  ProjectMisses misses;
  for (int i = 0; i < 1000; ++i) misses.Add(0.5, i < 500 ? 1e300 : 0, kNoFactors);
  EXPECT_EQ(misses.size(3), ProjectMisses::kMost);
  misses.Add(0.5, std::nan(""), kNoFactors);
  EXPECT_EQ(misses.size(3), ProjectMisses::kMost);
  EXPECT_LT(misses.Factors(kNoFactors)[3], 1) << "the oldest, which were far off, are gone";
  ProjectMisses wild;
  for (int i = 0; i < 1000; ++i) wild.Add(0.5, 1e300, kNoFactors);
  EXPECT_LE(wild.Factors(kNoFactors)[3], 10);
}

}  // namespace
}  // namespace curvecast
