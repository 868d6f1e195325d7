#include "core/family/step_law.h"

#include <cmath>
#include <limits>
#include <random>

#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

double Published(double n, double s) { return std::pow(6.5e13 / n, 0.077) + std::pow(2.1e3 / s, 0.76); }

struct Shape {
  size_t sizes = 4, families = 3, runs = 2;
  double noise = 0.01;  // Of a point.
  double stray = 0;     // Of a family.
  unsigned seed = 1;
};

// Curves of the published law, sizes a factor of 4 apart.
std::vector<StepCurve> Curves(const Shape& shape) {
  std::mt19937_64 engine(shape.seed);
  std::normal_distribution<double> normal;
  std::vector<StepCurve> curves;
  for (size_t i = 0; i < shape.sizes; ++i) {
    const double n = 1e7 * std::pow(4, static_cast<double>(i));
    for (size_t f = 0; f < shape.families; ++f) {
      const double off = shape.stray * normal(engine);
      for (size_t r = 0; r < shape.runs; ++r) {
        StepCurve curve;
        curve.family = "f" + std::to_string(f);
        curve.parameters = n;
        for (double s = 300; s < 30000 * static_cast<double>(f + 1); s *= 1.1) {
          curve.steps.push_back(s);
          curve.losses.push_back(Published(n, s) * std::exp(off + shape.noise * normal(engine)));
        }
        curves.push_back(curve);
      }
    }
  }
  return curves;
}

TEST(StepLawTest, ExactCurvesGiveBackKaplansConstants) {
  const auto fit = FitStepLaw(Curves({.noise = 0}), StepCount::kAsGiven);
  ASSERT_TRUE(fit.ok() && fit->law.has_value()) << fit->why_no_law;
  ASSERT_TRUE(fit->law->alpha_n.has_value()) << fit->why_no_size;
  EXPECT_NEAR(fit->law->alpha_n->value, 0.077, 0.002);
  EXPECT_NEAR(fit->law->alpha_s.value, 0.76, 0.02);
  EXPECT_NEAR(fit->law->log_nc->value, std::log(6.5e13), 0.5);
  EXPECT_NEAR(fit->law->log_sc.value, std::log(2.1e3), 0.05);
  EXPECT_EQ(fit->runs, 24);
  EXPECT_EQ(fit->families, 12);
  EXPECT_EQ(fit->sizes, 4);
}

TEST(StepLawTest, NinetyPercentIntervalsHoldTheTruthAboutThatOften) {
  // Families stray, which is what the jackknife over families must see. Of 40 seeds 36 are expected.
  int alpha_n = 0, alpha_s = 0, fitted = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const auto fit = FitStepLaw(Curves({.families = 4, .runs = 1, .stray = 0.01, .seed = seed}), StepCount::kAsGiven);
    if (!fit->law.has_value() || !fit->law->alpha_n.has_value()) continue;
    ++fitted;
    alpha_n += std::fabs(fit->law->alpha_n->value - 0.077) <= 1.645 * fit->law->alpha_n->sd;
    alpha_s += std::fabs(fit->law->alpha_s.value - 0.76) <= 1.645 * fit->law->alpha_s.sd;
  }
  EXPECT_EQ(fitted, 40);
  EXPECT_GE(alpha_n, 28);
  EXPECT_GE(alpha_s, 28);
  EXPECT_LT(alpha_n + alpha_s, 80);
}

TEST(StepLawTest, WithTwoSizesTheExponentInStepsIsStillTold) {
  const auto fit = FitStepLaw(Curves({.sizes = 2, .noise = 0.002}), StepCount::kAsGiven);
  ASSERT_TRUE(fit.ok() && fit->law.has_value()) << fit->why_no_law;
  EXPECT_FALSE(fit->law->alpha_n.has_value());
  EXPECT_THAT(fit->why_no_size, HasSubstr("2 distinct sizes over a factor of 4; alphaN needs 3"));
  EXPECT_NEAR(fit->law->alpha_s.value, 0.76, 0.03);
}

TEST(StepLawTest, WhatTheRunsDoNotIdentifyIsRefusedWithTheReason) {
  EXPECT_THAT(FitStepLaw({}, StepCount::kAsGiven)->why_no_law, HasSubstr("0 families"));
  EXPECT_THAT(FitStepLaw(Curves({.sizes = 3, .families = 1}), StepCount::kAsGiven)->why_no_law,
              HasSubstr("3 families and sizes"));
  std::vector<StepCurve> curves = Curves({});
  for (StepCurve& curve : curves) {
    curve.steps.resize(5);
    curve.losses.resize(5);
  }
  EXPECT_THAT(FitStepLaw(curves, StepCount::kAsGiven)->why_no_law, HasSubstr("span a factor of 1.5 in steps"));
  for (StepCurve& curve : curves = Curves({})) {
    for (double& loss : curve.losses) loss = 3;
  }
  EXPECT_THAT(FitStepLaw(curves, StepCount::kAsGiven)->why_no_law, HasSubstr("does not fall with steps"));
}

TEST(StepLawTest, ScalingTheStepsMovesTheirConstantAlone) {
  std::vector<StepCurve> curves = Curves({});
  const auto one = FitStepLaw(curves, StepCount::kAsGiven);
  for (StepCurve& curve : curves) {
    for (double& step : curve.steps) step *= 8;
  }
  const auto eight = FitStepLaw(curves, StepCount::kAsGiven);
  EXPECT_NEAR(eight->law->alpha_s.value, one->law->alpha_s.value, 1e-4);
  EXPECT_NEAR(eight->law->log_sc.value, one->law->log_sc.value + std::log(8), 1e-3);
  EXPECT_NEAR(eight->law->alpha_n->value, one->law->alpha_n->value, 1e-5);
}

TEST(StepLawTest, MinimumStepsTakeTheBatchOutOfTheCurve) {
  // At the critical batch twice the steps are needed (eq. 5.4); far above it, as many as given.
  const double critical = 2e8 / std::pow(3, 1 / 0.21);
  EXPECT_NEAR(MinimumSteps(1000, critical, 3), 500, 1e-6);
  EXPECT_NEAR(MinimumSteps(1000, 1e6 * critical, 3), 1000, 1e-2);
  EXPECT_GT(MinimumSteps(1e-300, 1e-300, 1e-300), 0);
  // Curves of batches that are a factor of 4 apart: the law holds in S_min, and S as given hides it.
  std::vector<StepCurve> curves = Curves({.noise = 0.002});
  for (size_t c = 0; c < curves.size(); ++c) {
    curves[c].batch_tokens = 2e5 * std::pow(4, static_cast<double>(c % 4));
    for (size_t i = 0; i < curves[c].steps.size(); ++i) {
      curves[c].steps[i] *=
          curves[c].steps[i] / MinimumSteps(curves[c].steps[i], curves[c].batch_tokens, curves[c].losses[i]);
    }
  }
  const auto minimum = FitStepLaw(curves, StepCount::kMinimum), given = FitStepLaw(curves, StepCount::kAsGiven);
  ASSERT_TRUE(minimum->law.has_value()) << minimum->why_no_law;
  EXPECT_NEAR(minimum->law->alpha_s.value, 0.76, 0.02);
  EXPECT_NEAR(minimum->law->log_sc.value, std::log(2.1e3), 0.05);
  ASSERT_TRUE(given->law.has_value()) << given->why_no_law;
  EXPECT_GT(given->law->residual_sd, 5 * minimum->law->residual_sd);
  curves[3].batch_tokens = 0;
  EXPECT_THAT(FitStepLaw(curves, StepCount::kMinimum)->why_no_law, HasSubstr("23 of 24 runs"));
}

TEST(StepLawTest, AFamilyThatStraysIsSeenInTheResiduals) {
  std::vector<StepCurve> curves = Curves({.noise = 0.002});
  for (StepCurve& curve : curves) {
    if (curve.family != "f1" || curve.parameters > 2e7) continue;
    for (double& loss : curve.losses) loss *= 1.05;
  }
  const auto fit = FitStepLaw(curves, StepCount::kAsGiven);
  ASSERT_TRUE(fit->law.has_value()) << fit->why_no_law;
  ASSERT_EQ(fit->residuals.size(), 12);
  for (const FamilyResidual& residual : fit->residuals) {
    const bool strays = residual.family == "f1" && residual.parameters == 1e7;
    EXPECT_NEAR(residual.mean, strays ? std::log(1.05) : 0, 0.012) << residual.family << " " << residual.parameters;
    EXPECT_EQ(residual.runs, 2);
  }
}

TEST(StepLawTest, HostileDoublesAreAnErrorThatNamesThePoint) {
  const double inf = std::numeric_limits<double>::infinity();
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), inf, -inf, 0.0, -1.0}) {
    std::vector<StepCurve> curves = Curves({});
    curves[2].losses[7] = bad;
    EXPECT_THAT(std::string(FitStepLaw(curves, StepCount::kAsGiven).status().message()),
                HasSubstr("curves[2].losses[7]"));
    curves = Curves({});
    curves[1].steps[0] = bad;
    EXPECT_THAT(std::string(FitStepLaw(curves, StepCount::kAsGiven).status().message()),
                HasSubstr("curves[1].steps[0]"));
    curves[0].parameters = bad;
    EXPECT_THAT(std::string(FitStepLaw(curves, StepCount::kAsGiven).status().message()),
                HasSubstr("curves[0].parameters"));
  }
  std::vector<StepCurve> curves = Curves({});
  curves[4].losses.pop_back();
  EXPECT_THAT(std::string(FitStepLaw(curves, StepCount::kAsGiven).status().message()), HasSubstr("curves[4].losses"));
}

TEST(StepLawTest, ExtremeButPositiveDoublesGiveFiniteNumbersOrAReason) {
  std::mt19937_64 engine(5);
  std::uniform_real_distribution<double> power(-300, 300);
  for (int round = 0; round < 10; ++round) {
    std::vector<StepCurve> curves = Curves({.families = 1, .runs = 1});
    for (StepCurve& curve : curves) {
      curve.parameters = std::pow(10, power(engine));
      for (double& step : curve.steps) step = std::pow(10, power(engine));
      for (double& loss : curve.losses) loss = std::pow(10, power(engine));
    }
    const auto fit = FitStepLaw(curves, StepCount::kAsGiven);
    ASSERT_TRUE(fit.ok());
    EXPECT_EQ(fit->law.has_value(), fit->why_no_law.empty());
    EXPECT_TRUE(!fit->law.has_value() || std::isfinite(fit->law->log_sc.value + fit->law->log_sc.sd));
  }
}

}  // namespace
}  // namespace curvecast
