#include "core/family/least_squares.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"

namespace curvecast {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Eigen::VectorXd Vector(std::initializer_list<double> values) {
  Eigen::VectorXd v(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), v.data());
  return v;
}

// y = a + b x at x = 0 to 19, with `wild` in place of some y.
HuberProblem Line(double a, double b, double wild, int wild_count) {
  HuberProblem problem;
  problem.count = 20;
  problem.residuals = [=](const Eigen::VectorXd& free, Eigen::VectorXd& r) {
    for (int i = 0; i < 20; ++i) r[i] = free[0] + free[1] * i - (i < wild_count ? wild : a + b * i);
  };
  return problem;
}

TEST(LeastSquaresTest, FindsALineDespiteOutliers) {
  const auto fit = FitHuber(Line(3, -2, 50, 4), {Vector({0, 0})});
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->free[0], 3, 0.02);
  EXPECT_NEAR(fit->free[1], -2, 0.002);
}

TEST(LeastSquaresTest, CostIsHubersOfTheResiduals) {
  HuberProblem problem;
  problem.count = 3;
  problem.delta = 0.5;
  problem.weights = {1, 1, 2};
  problem.residuals = [](const Eigen::VectorXd& free, Eigen::VectorXd& r) { r << free[0], 10, 0.25; };
  const auto fit = FitHuber(problem, {Vector({1})});
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->free[0], 0, 1e-6);
  EXPECT_NEAR(fit->cost, (2 * 0.5 * 10 - 0.25) + 2 * 0.0625, 1e-9);
}

TEST(LeastSquaresTest, TheBestOfSeveralStartsWins) {
  HuberProblem problem;  // Minima near -1 (lower) and 1.
  problem.count = 2;
  problem.delta = 10;
  problem.residuals = [](const Eigen::VectorXd& f, Eigen::VectorXd& r) { r << f[0] * f[0] - 1, 0.1 * (f[0] + 1); };
  EXPECT_NEAR(FitHuber(problem, {Vector({2})})->free[0], 1, 0.05);
  EXPECT_NEAR(FitHuber(problem, {Vector({2}), Vector({-2})})->free[0], -1, 1e-3);
}

TEST(LeastSquaresTest, TheRidgeKeepsWhatTheDataDoNotTell) {
  HuberProblem problem;
  problem.count = 1;
  problem.residuals = [](const Eigen::VectorXd& free, Eigen::VectorXd& r) { r[0] = free[0] - 5; };
  EXPECT_FALSE(FitHuber(problem, {Vector({0, 7})}).has_value());
  problem.ridge = 1e-6;
  const auto fit = FitHuber(problem, {Vector({0, 7})});
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->free[0], 5, 1e-3);
  EXPECT_NEAR(fit->free[1], 7, 1e-9);
}

TEST(LeastSquaresTest, HostileResidualsGiveAFiniteAnswerOrNone) {
  for (double bad : {kNaN, std::numeric_limits<double>::infinity(), -1e308}) {
    HuberProblem problem = Line(3, -2, bad, 2);
    const auto fit = FitHuber(problem, {Vector({0, 0})});
    EXPECT_TRUE(!fit.has_value() || (fit->free.allFinite() && std::isfinite(fit->cost))) << bad;
    EXPECT_FALSE(FitHuber(problem, {Vector({bad, kNaN})}).has_value());
  }
  EXPECT_FALSE(FitHuber(Line(1, 1, 0, 0), {}).has_value());
}

TEST(LeastSquaresTest, ABoxHoldsAnyFreeNumber) {
  for (double free : {-1e308, -3.0, 0.0, 3.0, 1e308}) {
    const double value = Within(2, 4, free);
    EXPECT_TRUE(value >= 2 && value <= 4) << free;
  }
  EXPECT_NEAR(Within(2, 4, FreeOf(2, 4, 2.7)), 2.7, 1e-12);
  EXPECT_NEAR(Within(2, 4, FreeOf(2, 4, 99)), 4, 1e-5);
}

TEST(LeastSquaresTest, MedianAndDelta) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_NEAR(HuberDelta(Vector({-2, 1, 3}), 0.1), 2 * 1.345 * 1.4826, 1e-12);
  EXPECT_EQ(HuberDelta(Vector({0, 0, 1}), 0.1), 0.1);
  EXPECT_EQ(HuberDelta(Vector({kNaN}), 0.1), 0.1);
}

}  // namespace
}  // namespace curvecast
