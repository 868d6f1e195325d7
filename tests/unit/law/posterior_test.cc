#include "core/law/posterior.h"

#include <cmath>
#include <random>

#include "Eigen/Dense"
#include "core/law/mixture.h"
#include "gtest/gtest.h"

namespace curvecast {
namespace {

Belief SomeBelief(std::mt19937& random) {
  std::normal_distribution<double> normal;
  CoefficientMatrix root;
  for (double& r : root.reshaped()) r = 0.2 * normal(random);
  Belief belief;
  for (double& m : belief.mean) m = 0.1 * normal(random);
  EXPECT_TRUE(SetCovariance(root * root.transpose() + 0.01 * CoefficientMatrix::Identity(), belief));
  belief.stray = 0.01;
  return belief;
}

Observations SomePoints(std::mt19937& random, size_t n) {
  std::normal_distribution<double> normal;
  Observations seen;
  for (size_t i = 0; i < n; ++i) {
    FeatureRow row;
    for (double& f : row) f = normal(random);
    row(0) = 1;
    seen.rows.push_back(row);
    seen.points.push_back({.share = 0.1 + 0.02 * static_cast<double>(i),
                           .progress = 0.1 + 0.02 * static_cast<double>(i),
                           .level = 0.3 + 0.2 * row(1) - 0.1 * row(2) + 0.05 * normal(random),
                           .count = static_cast<double>(1 + i % 4),
                           .crowd = 1 + 0.5 * static_cast<double>(i % 3),
                           .variance = i % 5 == 0 ? 0.01 : 0});
  }
  return seen;
}

// The textbook way: the joint Gaussian of coefficients and observations, conditioned with dense matrices.
TEST(PosteriorTest, AgreesWithDenseConditioning) {
  std::mt19937 random(2);
  const Belief belief = SomeBelief(random);
  constexpr size_t kPoints = 30;
  constexpr double kNoise = 0.02;
  const Observations seen = SomePoints(random, kPoints);
  Eigen::MatrixXd x(kPoints, kCoefficients);
  Eigen::VectorXd y(kPoints), v(kPoints);
  for (size_t i = 0; i < kPoints; ++i) {
    const Observation& p = seen.points[i];
    const auto row = static_cast<Eigen::Index>(i);
    x.row(row) = seen.rows[i].transpose();
    y(row) = p.level;
    v(row) = (kNoise * kNoise / p.count + belief.stray * belief.stray * p.crowd + p.variance) *
             std::pow(seen.newest_share() / p.share, 2);
  }
  const Eigen::MatrixXd s = x * belief.covariance * x.transpose() + Eigen::MatrixXd(v.asDiagonal());
  const Eigen::VectorXd off = y - x * belief.mean;
  const Eigen::MatrixXd gain = belief.covariance * x.transpose() * s.inverse();

  const Posterior got = Update(belief, belief.mean, Weigh(seen, belief.stray, kNoise));
  EXPECT_LT((got.mean - (belief.mean + gain * off)).norm(), 1e-9);
  EXPECT_LT((got.covariance - (belief.covariance - gain * x * belief.covariance)).norm(), 1e-9);
  EXPECT_NEAR(got.log_evidence, -0.5 * (off.dot(s.inverse() * off) + std::log(s.determinant())), 1e-6);
}

TEST(PosteriorTest, WithoutEvidenceIsTheBelief) {
  std::mt19937 random(3);
  const Belief belief = SomeBelief(random);
  const Posterior got = Update(belief, belief.mean, Evidence());
  EXPECT_LT((got.mean - belief.mean).norm(), 1e-12);
  EXPECT_LT((got.covariance - belief.covariance).norm(), 1e-9);
  EXPECT_NEAR(got.log_evidence, 0, 1e-9);
}

TEST(PosteriorTest, WhatIsNoCovarianceIsRefusedAndLeavesTheBelief) {
  std::mt19937 random(4);
  const Belief before = SomeBelief(random);
  CoefficientMatrix indefinite = before.covariance, lost = before.covariance;
  indefinite(3, 3) = -1;
  lost(2, 2) = std::nan("");
  for (const CoefficientMatrix& bad : {indefinite, lost, CoefficientMatrix(CoefficientMatrix::Zero())}) {
    Belief belief = before;
    EXPECT_FALSE(SetCovariance(bad, belief));
    EXPECT_EQ(belief.covariance, before.covariance);
    EXPECT_EQ(belief.log_determinant, before.log_determinant);
  }
}

TEST(PosteriorTest, StraightenedCurvesHaveTheirBendTakenOut) {
  std::mt19937 random(5);
  Bend bend;
  for (size_t i = 0; i < kBentAt.size(); ++i) bend.offsets[i] = 0.1 * kBentAt[i];
  EXPECT_EQ(bend.At(0), bend.offsets.front());
  EXPECT_EQ(bend.At(1), bend.offsets.back());
  EXPECT_NEAR(bend.At(0.512), 0.0512, 1e-12);
  const Observations seen = SomePoints(random, 20), straight = Straighten(seen, bend);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(straight.points[i].level, seen.points[i].level - 0.1 * seen.points[i].progress, 1e-12);
  }
}

TEST(PosteriorTest, TheStrayIsWhatNoiseDoesNotExplain) {
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  Observations seen = SomePoints(random, 400);
  Coefficients at = Coefficients::Constant(0.1);
  for (size_t i = 0; i < 400; ++i) {
    Observation& p = seen.points[i];
    p.crowd = 1;
    p.variance = 0;
    p.level = seen.rows[i].dot(at) + 0.006 * normal(random) + 0.004 / std::sqrt(p.count) * normal(random);
  }
  EXPECT_NEAR(StrayOf(seen, at, 0.004), 0.006, 0.001);
  EXPECT_EQ(StrayOf(seen, at, 0.1), 0);
}

TEST(MixtureTest, QuantilesOfOneGaussianAreItsOwn) {
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.5), 3, 1e-5);
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.95), 3 + 2 * 1.6448536269514722, 1e-5);
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.05), 3 - 2 * 1.6448536269514722, 1e-5);
}

TEST(MixtureTest, QuantilesInvertTheDistribution) {
  const std::vector<Component> mixture = {{0.5, -1, 0.1}, {0.3, 2, 1e-4}, {0.2, 50, 7}};
  for (double level : {0.01, 0.05, 0.25, 0.45, 0.6, 0.75, 0.95, 0.99}) {
    const double at = Quantile(mixture, level);
    double below = 0;
    for (const Component& c : mixture) below += c.weight * 0.5 * std::erfc(-(at - c.mean) / c.sd * M_SQRT1_2);
    EXPECT_NEAR(below, level, 0.05) << at;  // 1e-7 of the range is a tenth of the narrow one's standard deviation.
  }
}

}  // namespace
}  // namespace curvecast
