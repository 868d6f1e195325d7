#include "core/family/kinship.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "Eigen/Dense"
#include "core/family/kinship_train.h"
#include "core/law/law.h"
#include "gtest/gtest.h"
#include "tests/unit/family/synthetic_project.h"

namespace curvecast {
namespace {

using testing::SyntheticProject;

std::vector<const Relative*> Pointers(const std::vector<Relative>& relatives) {
  std::vector<const Relative*> pointers;
  for (const Relative& r : relatives) pointers.push_back(&r);
  return pointers;
}

std::vector<Relative> SomeRelatives(int n) {
  const SyntheticProject project;
  std::vector<Relative> relatives;
  for (int i = 0; i < n; ++i) relatives.push_back(project.Finished(i % 3, 1 + i));
  return relatives;
}

const Kinship& ShippedKinship() { return Prior::Shipped().Of(RateKind::kKnown).kinship; }

Traits TraitsOfRun(int index) {
  const Plan plan = SyntheticProject().Run(1, index).plan;
  return TraitsOf(plan, RunClock(plan, 0));
}

std::optional<Belief> LeanOf(const std::vector<Relative>& relatives, const Kinship& kinship = ShippedKinship()) {
  return LeanOn(Pointers(relatives), SyntheticProject::DescentOf(1, 0), TraitsOfRun(0), kinship);
}

// Under which no relative is odd, so that none is discounted.
Kinship WideKinship() {
  Kinship kinship = ShippedKinship();
  kinship.within *= 100;
  return kinship;
}

// The whole Gaussian over all coefficients of all relatives, conditioned in one piece.
Coefficients DenseMean(const std::vector<Relative>& relatives, const Descent& descent, const Traits& traits,
                       const Kinship& kinship) {
  constexpr auto kC = static_cast<Eigen::Index>(kCoefficients);
  constexpr double kLab = 100;
  const auto n = static_cast<Eigen::Index>(relatives.size());
  const auto get = [&](Eigen::Index i) -> const Relative& { return relatives[static_cast<size_t>(i)]; };
  std::array<double, kTraits> center = {};
  Coefficients base = Coefficients::Zero();
  for (const Relative& r : relatives) {
    for (size_t t = 0; t < kTraits; ++t) center[t] += r.traits.values[t] / static_cast<double>(n);
    base += r.coefficients / static_cast<double>(n);
  }
  const auto off = [&center](const Traits& of) {  // All traits of all of these are known, or none of any.
    std::array<double, kTraits> centered = {};
    for (size_t t = 0; t < kTraits; ++t) centered[t] = of.known.test(t) ? of.values[t] - center[t] : 0;
    return centered;
  };
  Eigen::MatrixXd kernel(n, n);
  Eigen::VectorXd to_run(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Relative& a = get(i);
    for (Eigen::Index k = 0; k < n; ++k) {
      kernel(i, k) = kLab + Likeness(a.descent, off(a.traits), get(k).descent, off(get(k).traits), kinship);
    }
    kernel(i, i) += kinship.own;
    to_run(i) = kLab + Likeness(descent, off(traits), a.descent, off(a.traits), kinship);
  }
  const Eigen::MatrixXd inverse = kernel.inverse();
  const CoefficientMatrix within_inverse = kinship.within.inverse();
  Eigen::MatrixXd precision(n * kC, n * kC);
  Eigen::VectorXd bases(n * kC), pulls(n * kC);
  for (Eigen::Index i = 0; i < n; ++i) {
    bases.segment(i * kC, kC) = base;
    pulls.segment(i * kC, kC) = get(i).pull;
    for (Eigen::Index k = 0; k < n; ++k) precision.block(i * kC, k * kC, kC, kC) = inverse(i, k) * within_inverse;
  }
  const Eigen::VectorXd pull = precision * bases + pulls;
  for (Eigen::Index i = 0; i < n; ++i) precision.block(i * kC, i * kC, kC, kC) += get(i).precision;
  const Eigen::VectorXd found = precision.llt().solve(pull);
  Coefficients mean = base;
  const Eigen::VectorXd weights = inverse * to_run;
  for (Eigen::Index i = 0; i < n; ++i) mean += weights(i) * (found.segment(i * kC, kC) - base);
  return mean;
}

TEST(KinshipTest, RelativesThatAreKnownExactlyGiveTheDenseProcess) {
  std::vector<Relative> relatives = SomeRelatives(8);
  for (Relative& r : relatives) {
    r.precision = 1e10 * CoefficientMatrix::Identity();
    r.pull = 1e10 * r.coefficients;
  }
  const Coefficients want = DenseMean(relatives, SyntheticProject::DescentOf(1, 0), TraitsOfRun(0), WideKinship());
  EXPECT_LT((LeanOf(relatives, WideKinship())->mean - want).norm(), 1e-5);
}

// Four rounds of Gauss and Seidel do not get to the bottom of what the curves leave open between coefficients that
// stand in for each other; what they say of the curve is nearly the same.
TEST(KinshipTest, TheCurveForeseenIsNearlyThatOfTheDenseProcess) {
  const std::vector<Relative> relatives = SomeRelatives(8);
  const Coefficients off = LeanOf(relatives, WideKinship())->mean -
                           DenseMean(relatives, SyntheticProject::DescentOf(1, 0), TraitsOfRun(0), WideKinship());
  const Plan plan = SyntheticProject().Run(1, 0).plan;
  const RunClock clock(plan, 0);
  std::vector<Place> places;
  for (double step = 200; step <= 2000; step += 50) places.push_back({clock.Share(step), clock.Rate(step)});
  for (const FeatureRow& row : Features(clock, places)) EXPECT_NEAR(row.dot(off), 0, 0.006);
}

TEST(KinshipTest, TheSameRelativesGiveTheSameBits) {
  const std::vector<Relative> relatives = SomeRelatives(20);
  const std::optional<Belief> a = LeanOf(relatives), b = LeanOf(relatives);
  EXPECT_EQ(std::memcmp(a->mean.data(), b->mean.data(), sizeof a->mean), 0);
  EXPECT_EQ(std::memcmp(a->covariance.data(), b->covariance.data(), sizeof a->covariance), 0);
  EXPECT_EQ(a->bend.offsets, b->bend.offsets);
  EXPECT_EQ(a->stray, b->stray);
}

TEST(KinshipTest, OneRelativeIsEnoughAndMoreMakeSurer) {
  EXPECT_FALSE(LeanOf({}).has_value());
  std::vector<double> doubts;
  for (const int n : {1, 3, 10, 30}) {
    const std::optional<Belief> kin = LeanOf(SomeRelatives(n));
    ASSERT_TRUE(kin.has_value()) << n;
    EXPECT_GT(kin->stray, 0);
    EXPECT_GT(kin->noise, 0);
    doubts.push_back(kin->covariance(0, 0));
  }
  EXPECT_LT(doubts[2], 0.8 * doubts[0]);
  EXPECT_LT(doubts[3], 0.8 * doubts[2]);
}

// Against those that are there without it.
TEST(KinshipTest, OneAbsurdRelativeAmongTenMovesTheAnswerLittle) {
  std::vector<Relative> relatives = SomeRelatives(9);
  const Belief before = *LeanOf(relatives);
  const testing::LawRun run = SyntheticProject().Run(1, 0);
  const Curve curve = run.Until(0.3, 5);
  const double answer = ForecastEnd(curve, run.plan, Prior::Shipped(), {.kin = &before, .factors = nullptr}).median();
  for (const double times : {0.01, 0.5, 2.0, 5.0, 1e6}) {
    testing::LawRun odd = SyntheticProject().Run(1, 44);
    odd.scale = times;
    odd.at(1) = -0.3;
    relatives.resize(9);
    relatives.push_back(*MakeRelative(SyntheticProject::DescentOf(1, 44), odd.Until(1, 4), odd.plan, Prior::Shipped()));
    const std::optional<Belief> after = LeanOf(relatives);
    ASSERT_TRUE(after.has_value());
    EXPECT_NEAR(after->mean(0), before.mean(0), 0.07) << times;
    const Forecast f = ForecastEnd(curve, run.plan, Prior::Shipped(), {.kin = &*after, .factors = nullptr});
    EXPECT_NEAR(f.median() / answer, 1, 0.035) << times;
  }
}

// A constant rate says nothing of what a falling one does. Those that say it must be heard as before.
TEST(KinshipTest, RelativesOfConstantRateDoNotSpoilTheDropOfTheOthers) {
  const SyntheticProject project;
  std::vector<Relative> relatives = SomeRelatives(8);
  const auto drop = [](const Belief& belief) { return belief.mean(5) + belief.mean(7); };
  const double before = drop(*LeanOf(relatives));
  for (int i = 0; i < 6; ++i) {
    testing::LawRun run = project.Run(1, 50 + i);
    run.plan.schedule = LrSchedule::Constant();
    const std::optional<Relative> r = MakeRelative(SyntheticProject::DescentOf(1, 50 + i),
                                                   run.Until(1, static_cast<unsigned>(i)), run.plan, Prior::Shipped());
    ASSERT_TRUE(r.has_value());
    relatives.push_back(*r);
  }
  EXPECT_NEAR(drop(*LeanOf(relatives)), before, 0.03);
}

TEST(KinshipTest, LabelsCountByTheShareOfTextsThatAreEqual) {
  const Descent a{"a", "f", {{"data", "web"}, {"lr", "0.1"}, {"opt", "adam"}}};
  EXPECT_EQ(LabelLikeness(a, {"b", "f", {{"data", "web"}, {"lr", "0.2"}, {"opt", "adam"}}}), 1);
  EXPECT_EQ(LabelLikeness(a, {"b", "f", {{"data", "web"}, {"opt", "sgd"}}}), 0.5);
  EXPECT_EQ(LabelLikeness(a, {"b", "f", {{"lr", "0.1"}}}), 0);
  EXPECT_EQ(LabelLikeness(a, {"b", "f", {}}), 0);
}

TEST(KinshipTest, HostileRelativesGiveAFiniteBeliefOrNone) {
  const double kHostile[] = {0, -1e300, 1e300, 5e-324, std::numeric_limits<double>::infinity(), -1e-9, std::nan("")};
  std::mt19937_64 random(3);
  const std::vector<Relative> good = SomeRelatives(6);
  int finite = 0;
  for (int i = 0; i < 600; ++i) {
    std::vector<Relative> relatives = good;
    Relative& r = relatives[random() % relatives.size()];
    const double bad = kHostile[random() % std::size(kHostile)];
    switch (i % 4) {
      case 0:
        r.traits.values[random() % kTraits] = bad;
        break;
      case 1:
        r.coefficients(static_cast<Eigen::Index>(random() % kCoefficients)) = bad;
        break;
      case 2:
        r.pull(static_cast<Eigen::Index>(random() % kCoefficients)) = bad;
        break;
      default:
        r.descent = relatives[0].descent;
        r.descent.labels = {{"", ""}, {std::string(1, '\0'), "nan"}, {"a", "inf"}};
        r.traits.known.reset();
    }
    const std::optional<Belief> kin = LeanOf(relatives);
    if (!kin.has_value()) continue;
    ++finite;
    EXPECT_TRUE(kin->mean.allFinite() && kin->covariance.allFinite()) << i;
    EXPECT_TRUE(std::isfinite(kin->stray) && kin->stray > 0) << i << " " << bad;
    EXPECT_TRUE(std::isfinite(kin->noise)) << i << " " << bad;
    for (double offset : kin->bend.offsets) EXPECT_TRUE(std::isfinite(offset)) << i << " " << bad;
  }
  EXPECT_GT(finite, 100);
}

TEST(KinshipTrainTest, IsDeterministicAndSeesWhatMatters) {
  std::vector<std::vector<Relative>> sources(2);
  for (unsigned seed = 1; seed <= 2; ++seed) {
    const SyntheticProject project{.seed = seed};
    for (int i = 0; i < 40; ++i) sources[seed - 1].push_back(project.Finished(i % 4, i));
  }
  CoefficientMatrix within = 0.01 * CoefficientMatrix::Identity();
  const Kinship a = TrainKinship(sources, within), b = TrainKinship(sources, within);
  EXPECT_EQ(a.linear, b.linear);
  EXPECT_EQ(a.reach, b.reach);
  EXPECT_EQ(a.own, b.own);
  EXPECT_EQ(a.within, within);
  // Size moves the level; the share of warm-up is the same in all runs.
  const std::vector<std::vector<Relative>> few = {{sources[0].begin(), sources[0].begin() + 9}};
  const Kinship untaught = TrainKinship(few, within);
  EXPECT_NE(a.own, untaught.own);
  EXPECT_LT(a.own, a.smooth + a.family + a.linear[Traits::kParameters]);
  for (const Kinship& k : {a, untaught}) {
    EXPECT_GT(k.own, 0);
    for (double reach : k.reach) EXPECT_GT(reach, 0);
  }
}

// A kernel over pairs that leaves out what either lacks is none: one run without a peak rate once silenced a project.
TEST(KinshipTest, ATraitThatSomeLackLeavesTheProcessWhole) {
  std::vector<Relative> relatives = SomeRelatives(16);
  for (size_t i = 0; i < relatives.size(); ++i) {
    for (size_t t = 0; t < kTraits; ++t) {
      relatives[i].traits.values[t] = 30 * std::sin(static_cast<double>(i * (t + 1)));
      relatives[i].traits.known.set(t, (i + t) % 3 != 0);
    }
  }
  EXPECT_TRUE(LeanOf(relatives).has_value());
}

}  // namespace
}  // namespace curvecast
