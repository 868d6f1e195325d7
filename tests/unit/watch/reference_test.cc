#include "core/watch/reference.h"

#include <cmath>
#include <vector>

#include "Eigen/Cholesky"
#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kReach = 0.3;  // Of the stray, in log t: core/watch/reference.cc.
constexpr double kStray = 0.004;
constexpr double kPointSd = 0.01;

struct Seen {
  std::vector<double> steps;
  std::vector<FeatureRow> rows;
  std::vector<double> levels;
  Belief belief;
};

Seen Simulate(size_t points, uint64_t seed) {
  const Plan plan = testing::Cosine(20'000);
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  Seen seen;
  seen.belief = any.loose;
  seen.belief.mean = any.MeanOf(TraitsOf(plan, clock));
  const Coefficients at = testing::CoefficientsOf(plan, 0.5, seed);
  testing::Dice dice(seed);
  for (size_t i = 0; i < points; ++i) {
    const double step = 500 + 300.0 * static_cast<double>(i);
    seen.steps.push_back(step);
    seen.rows.push_back(Features(clock, {{clock.Share(step), clock.Rate(step)}}).front());
    seen.levels.push_back(seen.rows.back().dot(at) + kPointSd * dice.Normal());
  }
  return seen;
}

// The same model without any recursion: coefficients and the stray at each step are one Gaussian, conditioned on all
// whitened observations at once.
struct Batch {
  VectorXd mean;
  MatrixXd covariance;

  Batch(const Seen& seen, double rho, size_t observed) {
    const auto k = static_cast<Eigen::Index>(kCoefficients), n = static_cast<Eigen::Index>(seen.steps.size());
    mean = VectorXd::Zero(k + n);
    mean.head(k) = seen.belief.mean;
    mean(0) = seen.levels[0];
    covariance = MatrixXd::Zero(k + n, k + n);
    covariance.topLeftCorner(k, k) = seen.belief.covariance;
    covariance.row(0).setZero();
    covariance.col(0).setZero();
    covariance(0, 0) = 1;
    for (Eigen::Index i = 0; i < n; ++i) {
      for (Eigen::Index j = 0; j < n; ++j) {
        const double d = std::sqrt(3.0) / kReach *
                         std::fabs(std::log(seen.steps[static_cast<size_t>(i)] / seen.steps[static_cast<size_t>(j)]));
        covariance(k + i, k + j) = kStray * kStray * (1 + d) * std::exp(-d);
      }
    }
    const auto m = static_cast<Eigen::Index>(observed);
    MatrixXd design = MatrixXd::Zero(m, k + n), noise = MatrixXd::Zero(m, m);
    VectorXd levels(m);
    for (Eigen::Index i = 0; i < m; ++i) {
      const auto at = static_cast<size_t>(i);
      const double r = i == 0 ? 0 : rho;
      design.row(i).head(k) = seen.rows[at].transpose();
      levels(i) = seen.levels[at];
      if (i > 0) {
        design.row(i).head(k) -= r * seen.rows[at - 1].transpose();
        levels(i) -= r * seen.levels[at - 1];
      }
      design(i, k + i) = 1 - r;
      noise(i, i) = kPointSd * kPointSd * (1 - r * r);
    }
    const MatrixXd total = design * covariance * design.transpose() + noise;
    const MatrixXd gain = covariance * design.transpose() * total.ldlt().solve(MatrixXd::Identity(m, m));
    mean += gain * (levels - design * mean);
    covariance -= gain * design * covariance;
  }
  // Of the curve at this point, stray included.
  VectorXd RowOf(const Seen& seen, size_t at, double rho) const {
    VectorXd row = VectorXd::Zero(mean.size());
    row.head(static_cast<Eigen::Index>(kCoefficients)) = seen.rows[at];
    if (rho != 0) row.head(static_cast<Eigen::Index>(kCoefficients)) -= rho * seen.rows[at - 1];
    row(static_cast<Eigen::Index>(kCoefficients + at)) = 1 - rho;
    return row;
  }
};

class ReferenceTest : public ::testing::TestWithParam<double> {};

TEST_P(ReferenceTest, TheFilterIsTheBatchRegression) {
  const double rho = GetParam();
  const Seen seen = Simulate(50, 3);
  Reference reference(seen.belief, seen.levels[0]);
  for (size_t i = 0; i < seen.steps.size(); ++i) {
    reference.Advance(seen.steps[i], kStray);
    const double r = i == 0 ? 0 : rho;
    const auto expected = reference.Expect(seen.rows[i], i == 0 ? FeatureRow::Zero() : seen.rows[i - 1], r);
    const double observed = seen.levels[i] - (i == 0 ? 0 : r * seen.levels[i - 1]);
    if (i % 7 == 1) {
      const Batch batch(seen, rho, i);
      const VectorXd row = batch.RowOf(seen, i, r);
      ASSERT_NEAR(expected.value, row.dot(batch.mean), 1e-8) << i;
      ASSERT_NEAR(std::sqrt(expected.variance), std::sqrt(row.dot(batch.covariance * row)), 1e-8) << i;
    }
    reference.Update(expected, observed - expected.value, kPointSd * kPointSd * (1 - r * r));
  }
  const Batch batch(seen, rho, seen.steps.size());
  for (size_t k = 0; k < kCoefficients; ++k) {
    const auto at = static_cast<Eigen::Index>(k);
    EXPECT_NEAR(reference.state()(at), batch.mean(at), 1e-8) << k;
  }
  const size_t last = seen.steps.size() - 1;
  EXPECT_NEAR(reference.Level(seen.rows[last]), batch.RowOf(seen, last, 0).dot(batch.mean), 1e-8);
}

INSTANTIATE_TEST_SUITE_P(WhitenedAndNot, ReferenceTest, ::testing::Values(0.0, 0.5, 0.9));

TEST(ReferenceTest, AfterALongPauseTheStrayIsForgottenAndTheLawIsNot) {
  const Seen seen = Simulate(40, 4);
  Reference reference(seen.belief, seen.levels[0]);
  for (size_t i = 0; i < 39; ++i) {
    reference.Advance(seen.steps[i], kStray);
    const auto expected = reference.Expect(seen.rows[i], FeatureRow::Zero(), 0);
    reference.Update(expected, seen.levels[i] - expected.value, kPointSd * kPointSd);
  }
  reference.Advance(1e12, kStray);
  EXPECT_NEAR(reference.state()(kCoefficients), 0, 1e-9);
  EXPECT_NEAR(reference.Level(seen.rows[39]), seen.levels[39], 0.03);
  const auto expected = reference.Expect(seen.rows[39], FeatureRow::Zero(), 0);
  EXPECT_GE(expected.variance, 0.99 * kStray * kStray);
}

TEST(ReferenceTest, AStepBackOrAgainMovesNothing) {
  const Seen seen = Simulate(2, 5);
  Reference reference(seen.belief, seen.levels[0]);
  reference.Advance(1000, kStray);
  const auto before = reference.Expect(seen.rows[0], FeatureRow::Zero(), 0);
  reference.Advance(1000, kStray);
  reference.Advance(500, kStray);
  const auto after = reference.Expect(seen.rows[0], FeatureRow::Zero(), 0);
  EXPECT_EQ(before.value, after.value);
  EXPECT_EQ(before.variance, after.variance);
}

TEST(ReferenceTest, CorrectingShiftingAndLooseningDoWhatTheySay) {
  const Seen seen = Simulate(10, 6);
  Reference reference(seen.belief, seen.levels[0]);
  for (size_t i = 0; i < 10; ++i) {
    reference.Advance(seen.steps[i], kStray);
    const auto expected = reference.Expect(seen.rows[i], FeatureRow::Zero(), 0);
    reference.Update(expected, seen.levels[i] - expected.value, kPointSd * kPointSd);
  }
  const FeatureRow& row = seen.rows[9];
  const double level = reference.Level(row);
  const double variance = reference.Expect(row, FeatureRow::Zero(), 0).variance;
  reference.Shift(0.25);
  EXPECT_NEAR(reference.Level(row), level + 0.25, 1e-12);
  EXPECT_NEAR(reference.Expect(row, FeatureRow::Zero(), 0).variance, variance, 1e-15);
  reference.LoosenLevel(0.5);
  EXPECT_NEAR(reference.Expect(row, FeatureRow::Zero(), 0).variance, variance + 0.25, 1e-12);
  Reference::Vector effect = Reference::Vector::Zero();
  effect(0) = -0.25;
  reference.Correct(effect);
  EXPECT_NEAR(reference.Level(row), level, 1e-12);
  EXPECT_NEAR(reference.Expect(row, FeatureRow::Zero(), 0).variance, variance + 0.25 + 0.0625, 1e-12);
}

TEST(ReferenceTest, AMillionPointsLeaveItsVarianceAboveZero) {
  const Plan plan = testing::ConstantRate(1'000'000);
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  Reference reference(any.loose, 1);
  testing::Dice dice(8);
  for (Step s = 20'000; s < 1'000'000; s += 7) {
    const double step = static_cast<double>(s);
    const FeatureRow row = Features(clock, {{clock.Share(step), clock.Rate(step)}}).front();
    reference.Advance(step, kStray);
    const auto expected = reference.Expect(row, FeatureRow::Zero(), 0);
    ASSERT_GT(expected.variance, 1e-14) << s;
    ASSERT_LT(expected.variance, 2) << s;
    reference.Update(expected, 1 + 1e-4 * dice.Normal() - expected.value, 1e-8);
  }
  EXPECT_NEAR(reference.Level(Features(clock, {{1, 1}}).front()), 1, 1e-4);
}

}  // namespace
}  // namespace curvecast
