#include "core/family/level_prior.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/family/level_check.h"
#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

double TrueLog(double n, double d) { return PublishedChinchilla().LogLoss(std::log(n), std::log(d)); }

// Sizes and lengths on a grid; cells stray from the law by `between`, runs from their cell by `within`.
std::vector<ScalingPoint> Grid(double between, double within, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<ScalingPoint> points;
  for (double n = 2e7; n < 1e9; n *= 2) {
    for (double d = 1e9; d < 5e10; d *= 2.5) {
      const double stray = between * normal(engine);
      for (int run = 0; run < 5; ++run) {
        points.push_back({n, d, std::exp(TrueLog(n, d) + stray + within * normal(engine))});
      }
    }
  }
  return points;
}

ScalingFit Fit(const std::vector<ScalingPoint>& points) { return *FitScaling(points, CellLevel::kMedian); }

TEST(LevelPriorTest, HoldsNewRunsAboutAsOftenAsItSays) {
  int held = 0, asked = 0;
  std::mt19937_64 engine(99);
  std::normal_distribution<double> normal;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const ScalingFit fit = Fit(Grid(0.006, 0.01, seed));
    ASSERT_TRUE(fit.law.has_value()) << fit.why_no_law;
    for (const auto& [n, d] : {std::pair(1e8, 4e9), std::pair(1.5e9, 1e10), std::pair(3e8, 2e11)}) {
      const auto prior = PriorOfLevel(fit, n, d);
      ASSERT_TRUE(prior.ok()) << prior.status();
      const double actual = TrueLog(n, d) + 0.006 * normal(engine) + 0.01 * normal(engine);
      held += std::fabs(actual - prior->mean_log) <= 1.645 * prior->sd_log;
      ++asked;
      EXPECT_LT(prior->sd_log, 0.06);
    }
  }
  EXPECT_GE(held, 0.82 * asked);
  EXPECT_LE(held, 0.97 * asked);
}

TEST(LevelPriorTest, SaysHowFarOutsideARunLies) {
  const ScalingFit fit = Fit(Grid(0.004, 0.004, 1));
  const auto inside = PriorOfLevel(fit, 1e8, 4e9), beyond = PriorOfLevel(fit, 4 * 6.4e8, 4e9);
  ASSERT_TRUE(inside.ok() && beyond.ok());
  EXPECT_EQ(inside->from, LevelPrior::From::kChinchilla);
  EXPECT_EQ(inside->beyond_parameters, 1);
  EXPECT_NEAR(beyond->beyond_parameters, 4, 1e-6);
  EXPECT_GT(beyond->sd_log, inside->sd_log);
  const auto far = PriorOfLevel(fit, 1e8, 4e13);
  EXPECT_EQ(far.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(far.status().message()), HasSubstr("tokens: 1.02e+03 times outside"));
}

TEST(LevelPriorTest, WithoutALawOfBothRunsOfOneSizeTellOfThatSizeOnly) {
  std::vector<ScalingPoint> points;
  for (double n : {1.3e8, 3e8}) {
    for (double d = 1e9; d < 4e10; d *= 2) points.push_back({n, d, 9 * std::pow(n, -0.05) * std::pow(d, -0.04)});
  }
  const ScalingFit fit = Fit(points);
  const auto same = PriorOfLevel(fit, 1.3e8, 6e10);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->from, LevelPrior::From::kSameSize);
  EXPECT_NEAR(same->mean_log, std::log(9 * std::pow(1.3e8, -0.05) * std::pow(6e10, -0.04)), 1e-9);
  EXPECT_EQ(same->sd_log, kLeastLevelSd);
  EXPECT_GT(same->beyond_tokens, 1.5);
  const auto same_length = PriorOfLevel(fit, 5e8, 1e9);
  ASSERT_TRUE(same_length.ok()) << same_length.status();
  EXPECT_EQ(same_length->from, LevelPrior::From::kSameLength);
  const auto neither = PriorOfLevel(fit, 5e8, 1.5e9);
  EXPECT_EQ(neither.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(neither.status().message()), HasSubstr("2 distinct sizes"));
}

TEST(LevelPriorTest, ScalingTheLossMovesTheMeanAndNothingElse) {
  std::vector<ScalingPoint> points = Grid(0.004, 0.004, 2);
  const auto one = PriorOfLevel(Fit(points), 1e8, 4e9);
  for (ScalingPoint& point : points) point.loss *= 7;
  const auto seven = PriorOfLevel(Fit(points), 1e8, 4e9);
  EXPECT_NEAR(seven->mean_log, one->mean_log + std::log(7), 1e-5);
  EXPECT_NEAR(seven->sd_log, one->sd_log, 1e-5);
}

TEST(LevelCheckTest, LeavesOutWhatItAsksFor) {
  const std::vector<ScalingPoint> points = Grid(0.006, 0.01, 5);
  const auto cells = CheckLevel(points, LeaveOut::kCell), sizes = CheckLevel(points, LeaveOut::kSize);
  ASSERT_TRUE(cells.ok() && sizes.ok());
  EXPECT_EQ(cells->runs, points.size());
  EXPECT_EQ(cells->answered, points.size());
  EXPECT_NEAR(cells->median_error, 0.0079, 0.003);  // .67 sd of between and within together.
  EXPECT_GE(cells->cover, 0.8);
  EXPECT_EQ(sizes->runs, points.size());
  // Of runs that were seen the error would be less: a cell of one run that strays far is not taken for granted.
  std::vector<ScalingPoint> strange = points;
  strange.push_back({1e8, 3e9, 2 * std::exp(TrueLog(1e8, 3e9))});
  const auto other = CheckLevel(strange, LeaveOut::kCell);
  EXPECT_LT(other->cover, 1);
  EXPECT_EQ(CheckLevel({}, LeaveOut::kCell)->runs, 0);
  EXPECT_FALSE(CheckLevel({{1, 1, -1}}, LeaveOut::kSize).ok());
}

TEST(LevelPriorTest, HostileDoublesAreAnError) {
  const ScalingFit fit = Fit(Grid(0.004, 0.004, 3));
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 0.0, -1.0}) {
    EXPECT_EQ(PriorOfLevel(fit, bad, 1e9).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(PriorOfLevel(fit, 1e8, bad).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(PriorOfLevel(fit, 5e-324, 1.7e308).ok());
  EXPECT_FALSE(PriorOfLevel(Fit({}), 1e8, 1e9).ok());
}

TEST(LevelPriorTest, LossesNearTheEndOfTheDoublesGiveFiniteLevelsOrNone) {
  std::mt19937_64 engine(4);
  std::uniform_real_distribution<double> power(-300, 300);
  for (double scale : {1e-320, 1e-308, 1e-300, 1e300}) {
    std::vector<ScalingPoint> points = Grid(0.004, 0.004, 3);
    for (ScalingPoint& point : points) point.loss *= scale;
    const ScalingFit fit = Fit(points);
    for (int i = 0; i < 200; ++i) {
      const auto prior =
          PriorOfLevel(fit, i < 20 ? 1e8 : std::pow(10, power(engine)), i < 40 ? 4e9 : std::pow(10, power(engine)));
      if (!prior.ok()) continue;
      EXPECT_TRUE(std::isfinite(prior->mean_log) && prior->sd_log > 0 && std::isfinite(prior->sd_log)) << scale;
    }
    EXPECT_TRUE(scale < 1e-310 || PriorOfLevel(fit, 1e8, 4e9).ok()) << scale;
  }
}

}  // namespace
}  // namespace curvecast
