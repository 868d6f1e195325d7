#include "core/law/posterior.h"

#include <cmath>
#include <random>

#include "Eigen/Dense"
#include "core/law/mixture.h"
#include "gtest/gtest.h"

namespace curvecast {
namespace {

// The textbook way: the joint Gaussian of coefficients and observations, conditioned with dense matrices.
TEST(PosteriorTest, AgreesWithDenseConditioning) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal;
  const NodePrior prior{.mean2 = 0.1, .mean3 = 0.2, .var22 = 0.04, .var23 = -0.01, .var33 = 0.09, .stray = 0.01};
  constexpr int kPoints = 30;
  Eigen::MatrixXd x(kPoints, 3);
  Eigen::VectorXd y(kPoints), v(kPoints);
  Evidence evidence;
  for (int i = 0; i < kPoints; ++i) {
    x.row(i) << 1, normal(random), normal(random);
    y(i) = 0.3 + 0.2 * x(i, 1) - 0.1 * x(i, 2) + 0.05 * normal(random);
    v(i) = 0.001 + 0.01 * std::fabs(normal(random));
    evidence.Add(x(i, 1), x(i, 2), y(i), v(i));
  }
  Eigen::Matrix3d p;
  p << kLevelSd * kLevelSd, 0, 0, 0, prior.var22, prior.var23, 0, prior.var23, prior.var33;
  const Eigen::Vector3d mean(0, prior.mean2, prior.mean3);
  const Eigen::MatrixXd s = x * p * x.transpose() + Eigen::MatrixXd(v.asDiagonal());
  const Eigen::VectorXd off = y - x * mean;
  const Eigen::MatrixXd gain = p * x.transpose() * s.inverse();
  const Eigen::Vector3d want_mean = mean + gain * off;
  const Eigen::Matrix3d want_covariance = p - gain * x * p;
  const double want_evidence = -0.5 * (off.dot(s.inverse() * off) + std::log(s.determinant()));

  const Posterior got = Update(prior, evidence);
  EXPECT_NEAR((got.mean - want_mean).norm(), 0, 1e-9);
  EXPECT_NEAR((got.covariance - want_covariance).norm(), 0, 1e-9);
  EXPECT_NEAR(got.log_evidence, want_evidence, 1e-6);
}

TEST(PosteriorTest, WithoutEvidenceIsThePrior) {
  const NodePrior prior{.mean2 = 0.1, .mean3 = 0.2, .var22 = 0.04, .var23 = 0.01, .var33 = 0.09, .stray = 0.01};
  const Posterior got = Update(prior, Evidence());
  EXPECT_NEAR(got.mean(1), 0.1, 1e-12);
  EXPECT_NEAR(got.covariance(1, 2), 0.01, 1e-12);
  EXPECT_NEAR(got.log_evidence, 0, 1e-12);
}

TEST(MixtureTest, QuantilesOfOneGaussianAreItsOwn) {
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.5), 3, 1e-6);
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.95), 3 + 2 * 1.6448536269514722, 1e-6);
  EXPECT_NEAR(Quantile({{1, 3, 2}}, 0.05), 3 - 2 * 1.6448536269514722, 1e-6);
}

TEST(MixtureTest, QuantilesInvertTheDistribution) {
  const std::vector<Component> mixture = {{0.5, -1, 0.1}, {0.3, 2, 1e-4}, {0.2, 50, 7}};
  for (double level : {0.01, 0.05, 0.25, 0.45, 0.6, 0.75, 0.95, 0.99}) {
    const double at = Quantile(mixture, level);
    double below = 0;
    for (const Component& c : mixture) below += c.weight * 0.5 * std::erfc(-(at - c.mean) / c.sd * M_SQRT1_2);
    EXPECT_NEAR(below, level, 1e-3) << at;
  }
}

}  // namespace
}  // namespace curvecast
