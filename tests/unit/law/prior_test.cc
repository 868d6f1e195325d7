#include "core/law/prior.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

std::string Complaint(const std::string& text) { return std::string(Prior::Parse(text).status().message()); }

// The smallest prior there is.
Prior Plain() {
  Archetype any;
  any.name = "any";
  Prior prior;
  for (Prior::Kind& kind : prior.kinds) kind.archetypes = {any};
  EXPECT_TRUE(prior.Prepare());
  return prior;
}

TEST(PriorTest, TheShippedOneSurvivesItsTextForm) {
  const std::string text = Prior::Shipped().Format();
  const absl::StatusOr<Prior> again = Prior::Parse(text);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->Format(), text);
}

TEST(PriorTest, EveryFieldSurvivesItsTextForm) {
  Prior prior = Plain();
  Prior::Kind& kind = prior.Of(RateKind::kKnown);
  kind.factors[1] = {1.5, 2, 0.75, 1, 3, 1.25, 0.5};
  kind.kinship.smooth = 0.25;
  kind.kinship.family = 0.375;
  kind.kinship.labels = 0.125;
  kind.kinship.own = 0.0625;
  kind.kinship.linear[3] = 2.5;
  kind.kinship.reach[7] = 0.5;
  kind.kinship.within(2, 1) = kind.kinship.within(1, 2) = 0.25;
  Archetype a = kind.archetypes[0];
  a.name = "one";
  a.runs = 12;
  a.families = 3;
  a.apart = a.knows_level = true;
  a.stray = 0.0075;
  a.noise = 0.015;
  a.mean(4) = -0.5;
  a.center[2] = 13.5;
  a.spread[2] = 0.5;
  a.low[2] = 12;
  a.high[2] = 15;
  a.slopes(2, 8) = -0.375;
  a.covariance(5, 3) = a.covariance(3, 5) = -0.25;
  kind.archetypes.insert(kind.archetypes.begin(), a);
  const absl::StatusOr<Prior> again = Prior::Parse(prior.Format());
  ASSERT_TRUE(again.ok()) << again.status();
  const Prior::Kind& got = again->Of(RateKind::kKnown);
  EXPECT_EQ(got.factors, kind.factors);
  EXPECT_EQ(got.kinship.linear, kind.kinship.linear);
  EXPECT_EQ(got.kinship.reach, kind.kinship.reach);
  EXPECT_EQ(got.kinship.within, kind.kinship.within);
  EXPECT_EQ(got.kinship.smooth, 0.25);
  EXPECT_EQ(got.kinship.family, 0.375);
  EXPECT_EQ(got.kinship.labels, 0.125);
  EXPECT_EQ(got.kinship.own, 0.0625);
  ASSERT_EQ(got.archetypes.size(), 2u);
  const Archetype& b = got.archetypes[0];
  EXPECT_EQ(b.name, "one");
  EXPECT_EQ(b.runs, 12);
  EXPECT_EQ(b.families, 3);
  EXPECT_TRUE(b.apart && b.knows_level);
  EXPECT_EQ(b.stray, a.stray);
  EXPECT_EQ(b.noise, a.noise);
  EXPECT_EQ(b.mean, a.mean);
  EXPECT_EQ(b.center, a.center);
  EXPECT_EQ(b.spread, a.spread);
  EXPECT_EQ(b.low, a.low);
  EXPECT_EQ(b.high, a.high);
  EXPECT_EQ(b.slopes, a.slopes);
  EXPECT_EQ(b.covariance, a.covariance);
}

TEST(PriorTest, ABadLineIsRefusedWithItsNumber) {
  const std::string good = Plain().Format();
  const std::vector<std::string> lines = {
      "nonsense",
      "kind other",
      "kind known and more",
      "factors none 1 1 1",
      "factors other 1 1 1 1 1 1 1",
      "factors none 1 1 1 1 1 1 1 1",
      "factors none 1 1 1 nan 1 1 1",
      "factors kin 1 1 1 0 1 1 1",
      "factors kin 1 1 1 -1 1 1 1",
      "kinship 1 1 1",
      "kinship -1 1 1 1",
      "kinship 1 1 -1 1",
      "kinship 1 1 1 0",
      "kinship 1 1 1 inf",
      "kin_trait colour 1 1",
      "kin_trait warmup 1 0",
      "kin_trait warmup 1 -1",
      "kin_trait warmup x 1",
      "kin_trait warmup -1 1",
      "archetype",
      "archetype one two runs 3 families 1",
      "archetype one runs -3 families 1",
      "archetype one runs 1e99 families 1",
      "level maybe",
      "spread 0 0.1",
      "spread 0.1 -1",
      "spread 0.1",
      "mean 0 0",
      "mean 0 0 0 0 0 0 0 0 x",
      "trait colour 0 1 0 1 0 0 0 0 0 0 0 0 0",
      "trait warmup 0 1 1 0 0 0 0 0 0 0 0 0 0",
      "trait warmup 0 1 0 1 0 0",
      "covariance 1",
      "within 1",
      "apart from what",
  };
  const int number = static_cast<int>(std::count(good.begin(), good.end(), '\n')) + 1;
  for (const std::string& bad : lines) {
    EXPECT_THAT(Complaint(good + bad + "\n"), HasSubstr("line " + std::to_string(number) + ": \"" + bad)) << bad;
  }
  EXPECT_TRUE(Prior::Parse(good + "# a comment\n\n").ok());
}

TEST(PriorTest, AnotherVersionIsRefusedInItsFirstLine) {
  EXPECT_THAT(Complaint("curvecast-prior 1\n"), HasSubstr("line 1"));
  EXPECT_THAT(Complaint("factors none 1 1 1 1 1 1 1\n"), HasSubstr("line 1"));
  EXPECT_THAT(Complaint("curvecast-prior 2\nmean 0 0 0 0 0 0 0 0 0\n"), HasSubstr("line 2"));
}

TEST(PriorTest, AFileCutAfterAnyLineIsRefused) {
  for (const std::string& text : {Prior::Shipped().Format(), Plain().Format()}) {
    for (size_t end = text.find('\n'); end + 1 < text.size(); end = text.find('\n', end + 1)) {
      EXPECT_FALSE(Prior::Parse(text.substr(0, end + 1)).ok()) << "after byte " << end;
    }
  }
  EXPECT_FALSE(Prior::Parse("").ok());
}

TEST(PriorTest, AMatrixThatIsNotPositiveDefiniteIsRefused) {
  Prior prior = Plain();
  prior.kinds[1].archetypes[0].covariance(4, 4) = -1;
  EXPECT_FALSE(prior.Prepare());
  EXPECT_THAT(Complaint(prior.Format()), HasSubstr("not positive definite"));
  prior = Plain();
  prior.kinds[1].kinship.within(4, 4) = -1;
  EXPECT_THAT(Complaint(prior.Format()), HasSubstr("not positive definite"));
}

TEST(PriorTest, TraitsMoveTheMeanWithinTheirBounds) {
  Archetype a;
  a.center[3] = 18;
  a.spread[3] = 1;
  a.low[3] = 16;
  a.high[3] = 20;
  a.slopes(3, 0) = -0.1;
  Traits traits;
  EXPECT_EQ(a.MeanOf(traits)(0), 0);
  traits.known.set(3);
  for (const auto& [value, want] : {std::pair{18.0, 0.0}, {19.0, -0.1}, {25.0, -0.2}, {-700.0, 0.2}}) {
    traits.values[3] = value;
    EXPECT_NEAR(a.MeanOf(traits)(0), want, 1e-12);
  }
}

TEST(PriorTest, ARunIsMoreLikelyAmongItsOwn) {
  Archetype a;
  a.center[3] = 18;
  a.spread[3] = 1;
  Traits traits;
  traits.known.set(3);
  double last = INFINITY;
  for (const double value : {18.0, 19.0, 21.0, 300.0}) {
    traits.values[3] = value;
    const double density = a.LogDensity(traits);
    EXPECT_LT(density, last);
    EXPECT_TRUE(std::isfinite(density));
    last = density;
  }
}

TEST(PriorTest, FactorsAreLinearBetweenTheirPlacesAndHeldOutside) {
  const IntervalFactors factors = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(FactorAt(factors, 0), 1);
  EXPECT_EQ(FactorAt(factors, 0.1), 1);
  EXPECT_NEAR(FactorAt(factors, 0.15), 1.5, 1e-12);
  EXPECT_NEAR(FactorAt(factors, 0.5), 4, 1e-12);
  EXPECT_EQ(FactorAt(factors, 1), 7);
}

}  // namespace
}  // namespace curvecast
