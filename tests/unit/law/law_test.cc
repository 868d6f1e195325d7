#include "core/law/law.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "gtest/gtest.h"
#include "tests/unit/law/synthetic.h"

namespace curvecast {
namespace {

using testing::CosinePlan;
using testing::PlainPlan;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A run that the law does not know in so many words: a power law in the summed rate, and a power of the rate.
struct Synthetic {
  Plan plan = CosinePlan(2000);
  double end = 2.5, c2 = 0.06, c3 = 0.06, a = 0.4, p = 0.75, noise = 0.02;
  double scale = 1;
  Step stride = 1;

  double Mean(Step step) const {
    const double total = static_cast<double>(*plan.total_steps), t = static_cast<double>(step);
    const double x = std::max(plan.schedule->SummedRate(t) / plan.schedule->SummedRate(total), 1e-4);
    const double rate = t < plan.schedule->warmup_end() ? 1 : plan.schedule->RelativeRate(t);
    const double psi = std::pow(rate, p) - std::pow(plan.schedule->RelativeRate(total), p);
    return scale * end * std::exp(c2 * (std::pow(x, -a) - 1) / a + c3 * psi);
  }

  Curve Until(double fraction, unsigned seed = 1) const {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    Curve curve;
    for (Step s = stride; static_cast<double>(s) <= fraction * static_cast<double>(*plan.total_steps); s += stride) {
      curve.Add(s, Mean(s) * std::exp(noise * normal(random)));
    }
    return curve;
  }
};

TEST(LawTest, ForecastsOfCurvesDrawnFromTheLawCoverTheirEnd) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (double fraction : {0.2, 0.5, 0.8}) {
    int covered = 0;
    double worst = 0;
    constexpr int kRuns = 300;
    for (int i = 0; i < kRuns; ++i) {
      Synthetic run;
      run.c2 = 0.05 + 0.015 * normal(random);
      run.c3 = 0.07 + 0.02 * normal(random);
      const Forecast f = ForecastEnd(run.Until(fraction, static_cast<unsigned>(i)), run.plan, Prior::Shipped());
      ASSERT_TRUE(f.answered());
      testing::ExpectSane(f);
      if (f.quantiles[0] <= run.end && run.end <= f.quantiles[4]) ++covered;
      worst = std::max(worst, std::fabs(f.median() / run.end - 1));
    }
    EXPECT_GE(covered, 0.75 * kRuns) << "at " << fraction;  // They are drawn from no belief of the prior's.
    EXPECT_LE(worst, fraction < 0.5 ? 0.15 : 0.08) << "at " << fraction;
  }
}

TEST(LawTest, TheIntervalNarrowsAsTheRunGoesOn) {
  const Synthetic run;
  double last = std::numeric_limits<double>::infinity();
  for (double fraction : {0.2, 0.5, 0.8, 1.0}) {
    const Forecast f = ForecastEnd(run.Until(fraction), run.plan, Prior::Shipped());
    const double width = f.quantiles[4] - f.quantiles[0];
    EXPECT_LT(width, last) << "at " << fraction;
    last = width;
  }
}

// Runs drawn from what an archetype says of runs like them. Those apart are left out: before half of the run they are
// not told from the others.
TEST(LawTest, NineInTenRunsDrawnFromAnArchetypeEndInsideTheInterval) {
  const Prior& prior = Prior::Shipped();
  std::mt19937 random(11);
  for (const Plan& plan : {testing::DecayingPlan(2000), PlainPlan(2000)}) {
    const RunClock clock(plan, 0);
    const Prior::Kind& kind = prior.Of(clock.kind());
    const Traits traits = TraitsOf(plan, clock);
    for (const double fraction : {0.2, 0.5, 0.8}) {
      constexpr int kRuns = 300;
      int covered = 0, answered = 0;
      for (int i = 0; i < kRuns; ++i) {
        const Archetype& a = kind.archetypes[static_cast<size_t>(i) % kind.archetypes.size()];
        if (a.apart) continue;
        const testing::LawRun run{
            .plan = plan, .at = testing::Draw(a.MeanOf(traits), a.loose.covariance, random), .noise = a.noise};
        const Forecast f = ForecastEnd(run.Until(fraction, static_cast<unsigned>(i)), plan, prior,
                                       {.kin = nullptr, .factors = &kNoFactors});
        if (f.reason == NotYet::kNotFalling) continue;
        ASSERT_TRUE(f.answered()) << Explain(f.reason);
        ++answered;
        covered += f.quantiles[0] <= run.end() && run.end() <= f.quantiles[4] ? 1 : 0;
      }
      EXPECT_GE(covered, 0.87 * answered) << "of " << answered << " at " << fraction;
      EXPECT_GT(answered, kRuns / 3);
    }
  }
}

// Where the rate has fallen the newest level is the mean over much of the run, in which the loss falls too.
TEST(LawTest, ARunThatIsWhatItsKinSayIsNeverFarFromThem) {
  const Plan plan = testing::DecayingPlan(4000, Decay::kLinear);
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  Belief kin = any.tight;
  kin.mean = any.MeanOf(TraitsOf(plan, clock));
  ASSERT_TRUE(SetCovariance(0.01 * any.tight.covariance, kin));
  kin.stray = 0.001;
  kin.noise = 0.002;
  const testing::LawRun run{.plan = plan, .at = kin.mean, .noise = kin.noise};
  testing::LawRun higher = run;
  higher.scale = 1.1;
  for (const double fraction : {0.2, 0.5, 0.8, 0.9, 0.97, 1.0}) {
    const Lean lean{.kin = &kin, .factors = nullptr};
    EXPECT_LT(std::fabs(ForecastEnd(run.Until(fraction, 1), plan, Prior::Shipped(), lean).leaned.deviation), 2)
        << "at " << fraction;
    EXPECT_GT(ForecastEnd(higher.Until(fraction, 1), plan, Prior::Shipped(), lean).leaned.deviation, 2)
        << "at " << fraction;
  }
}

TEST(LawTest, SpikesAmongItsNewestPointsDoNotPutARunOffItsKin) {
  const Plan plan = testing::DecayingPlan(4000, Decay::kLinear);
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  Belief kin = any.tight;
  kin.mean = any.MeanOf(TraitsOf(plan, clock));
  ASSERT_TRUE(SetCovariance(0.01 * any.tight.covariance, kin));
  kin.stray = 0.001;
  kin.noise = 0.002;
  const testing::LawRun run{.plan = plan, .at = kin.mean, .noise = kin.noise};
  const Curve whole = run.Until(1.0, 1);
  for (const double fraction : {0.8, 0.9, 0.97}) {
    // A quarter of the newest points.
    Curve spiked = run.Until(fraction, 1);
    const Step from = spiked.last_step();
    for (const Bin& bin : whole.bins()) {
      for (Step s = std::max(bin.first_step, from + 1); s <= std::min(bin.last_step, from + from / 50); ++s) {
        spiked.Add(s, (s / 16 % 4 == 0 ? 3 : 1) * bin.mean);
      }
    }
    const Lean lean{.kin = &kin, .factors = nullptr};
    EXPECT_LT(ForecastEnd(spiked, plan, Prior::Shipped(), lean).leaned.deviation, 2) << "at " << fraction;
  }
}

// The same prefix under a rate that still has to fall and under one that stays.
TEST(LawTest, TheScheduleMovesTheForecast) {
  Plan constant;
  constant.total_steps = 2000;
  constant.schedule = LrSchedule::Constant();
  Plan falling = constant;
  ScheduleSpec spec;
  spec.peak_lr = 1;
  spec.decay = Decay::kLinear;
  spec.decay_start_step = 1500;
  falling.schedule = *LrSchedule::Create(spec, 2000);
  Synthetic run;
  run.plan = constant;
  const Curve half = run.Until(0.5);
  const Forecast stays = ForecastEnd(half, constant, Prior::Shipped());
  const Forecast falls = ForecastEnd(half, falling, Prior::Shipped());
  ASSERT_TRUE(stays.answered() && falls.answered());
  EXPECT_LT(falls.median(), 0.99 * stays.median());
}

TEST(LawTest, AtTheEndTheAnswerIsTheSmoothedLastValue) {
  const Synthetic run;
  for (Plan plan : {run.plan, PlainPlan(2000)}) {
    const Forecast f = ForecastEnd(run.Until(1), plan, Prior::Shipped());
    ASSERT_TRUE(f.answered());
    EXPECT_EQ(f.progress, 1);
    EXPECT_NEAR(f.median(), run.end, 0.02 * run.end);
    EXPECT_EQ(f.path.size(), 1u);
  }
}

TEST(LawTest, ARunPastItsPlanIsStillAnswered) {
  Synthetic run;
  Plan plan = run.plan;
  plan.total_steps = 1500;
  const Forecast f = ForecastEnd(run.Until(1), plan, Prior::Shipped());
  ASSERT_TRUE(f.answered());
  EXPECT_EQ(f.progress, 1);
  EXPECT_NEAR(f.median(), run.end, 0.03 * run.end);
}

TEST(LawTest, WithoutAScheduleTheIntervalIsWiderAndStillCovers) {
  const Synthetic run;
  Plan unknown = run.plan;
  unknown.schedule.reset();
  const Forecast f = ForecastEnd(run.Until(0.5), unknown, Prior::Shipped());
  ASSERT_TRUE(f.answered());
  EXPECT_LE(f.quantiles[0], run.end);
  EXPECT_GE(f.quantiles[4], run.end);
}

TEST(LawTest, SparseEvaluationsOfALongRunAreAnswered) {
  Synthetic run;
  run.plan = CosinePlan(40'000);
  run.stride = 4000;
  run.noise = 0.001;
  const Forecast f = ForecastEnd(run.Until(0.5), run.plan, Prior::Shipped());
  ASSERT_TRUE(f.answered());
  EXPECT_LE(f.quantiles[0], run.end);
  EXPECT_GE(f.quantiles[4], run.end);
}

TEST(LawTest, TheSameInputGivesTheSameBits) {
  const Synthetic run;
  const Curve curve = run.Until(0.4);
  const Forecast a = ForecastEnd(curve, run.plan, Prior::Shipped()), b = ForecastEnd(curve, run.plan, Prior::Shipped());
  EXPECT_EQ(std::memcmp(a.quantiles.data(), b.quantiles.data(), sizeof a.quantiles), 0);
  EXPECT_EQ(std::memcmp(&a.expected_value, &b.expected_value, sizeof(double)), 0);
}

TEST(LawTest, ScalingTheLossScalesTheAnswer) {
  Synthetic run;
  const Forecast plain = ForecastEnd(run.Until(0.4), run.plan, Prior::Shipped());
  for (double scale : {1e-200, 0.03, 1000.0, 1e250}) {
    run.scale = scale;
    const Forecast scaled = ForecastEnd(run.Until(0.4), run.plan, Prior::Shipped());
    ASSERT_TRUE(scaled.answered());
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(scaled.quantiles[i] / scale / plain.quantiles[i], 1, 1e-6) << scale;
    }
  }
}

TEST(LawTest, ScalingTheStepsLeavesTheAnswer) {
  Synthetic run;
  const Forecast plain = ForecastEnd(run.Until(0.1), run.plan, Prior::Shipped());
  Synthetic stretched = run;
  stretched.plan = CosinePlan(2000 * 1000);
  stretched.stride = 1000;
  const Forecast scaled = ForecastEnd(stretched.Until(0.1), stretched.plan, Prior::Shipped());
  ASSERT_TRUE(plain.answered() && scaled.answered());
  EXPECT_EQ(scaled.step, plain.step * 1000);
  // The last 1 % that the end is read off holds as many points in both; only the early bins of the curve differ.
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(scaled.quantiles[i] / plain.quantiles[i], 1, 1e-3);
}

TEST(LawTest, ThePathRunsFromTheNewestStepToTheEnd) {
  const Synthetic run;
  const Forecast f = ForecastEnd(run.Until(0.3), run.plan, Prior::Shipped());
  ASSERT_EQ(f.path.size(), 33u);
  EXPECT_EQ(f.path.front().step, 600);
  EXPECT_EQ(f.path.back().step, 2000);
  EXPECT_NEAR(f.path.back().p05 / f.quantiles[0], 1, 1e-9);
  EXPECT_NEAR(f.path.back().p50 / f.quantiles[2], 1, 1e-9);
  EXPECT_NEAR(f.path.back().p95 / f.quantiles[4], 1, 1e-9);
  EXPECT_NEAR(f.expected_value / run.Mean(600), 1, 0.02);
}

TEST(LawTest, ASpikeHardlyMovesTheForecast) {
  const Synthetic run;
  Curve curve = run.Until(0.5);
  const double before = ForecastEnd(curve, run.plan, Prior::Shipped()).median();
  curve.Add(900, 1000);
  const Forecast f = ForecastEnd(curve, run.plan, Prior::Shipped());
  ASSERT_TRUE(f.answered());
  EXPECT_NEAR(f.median() / before, 1, 0.03);
}

TEST(LawTest, SaysWhyThereIsNoForecastYet) {
  const Synthetic run;
  const Curve half = run.Until(0.5);
  const Prior& prior = Prior::Shipped();
  Plan plan = run.plan;
  plan.maximize = true;
  Curve rewards = half;
  rewards.Add(1001, 250);
  EXPECT_EQ(ForecastEnd(rewards, plan, prior).reason, NotYet::kUnsupported);
  plan = run.plan;
  plan.total_steps.reset();
  EXPECT_EQ(ForecastEnd(half, plan, prior).reason, NotYet::kNoPlan);
  EXPECT_EQ(ForecastEnd(Curve(), run.plan, prior).reason, NotYet::kTooFewPoints);
  EXPECT_EQ(ForecastEnd(run.Until(0.04), run.plan, prior).reason, NotYet::kWarmup);
  Curve broken = half;
  broken.Add(1001, kNan);
  EXPECT_EQ(ForecastEnd(broken, run.plan, prior).reason, NotYet::kNonFinite);
  Curve negative;
  for (Step s = 1; s < 1000; ++s) negative.Add(s, -1.0 / static_cast<double>(s));
  EXPECT_EQ(ForecastEnd(negative, run.plan, prior).reason, NotYet::kOutsideLaw);
  Curve rising = half;
  for (Step s = 1001; s < 1400; ++s) rising.Add(s, 6.0);
  EXPECT_EQ(ForecastEnd(rising, run.plan, prior).reason, NotYet::kNotFalling);
  for (int i = 0; i <= 7; ++i) EXPECT_FALSE(Explain(static_cast<NotYet>(i)).empty());
}

TEST(LawTest, AfterARewindTheForecastIsThatOfTheShorterRun) {
  const Synthetic run;
  Curve rewound = run.Until(0.1);
  const Curve before = rewound;
  for (Step s = 201; s < 240; ++s) rewound.Add(s, 9.0);
  rewound.Rewind(201);
  EXPECT_EQ(ForecastEnd(rewound, run.plan, Prior::Shipped()).quantiles,
            ForecastEnd(before, run.plan, Prior::Shipped()).quantiles);
}

// Whatever bits come in: finite numbers out, or a reason.

// No run that was learned from had all of its decay in one step, and the law would book all of the drop there.
TEST(LawTest, AFallOfTheRateThatIsTooSteepIsNotForecast) {
  const Synthetic run;
  const Curve half = run.Until(0.5);
  Plan plan = run.plan;
  ScheduleSpec spec;
  spec.peak_lr = 1;
  spec.decay = Decay::kLinear;
  spec.decay_start_step = half.last_step();
  plan.total_steps = half.last_step() + 1;
  plan.schedule = *LrSchedule::Create(spec, plan.total_steps);
  EXPECT_EQ(ForecastEnd(half, plan, Prior::Shipped()).reason, NotYet::kTooSteep);
  plan.total_steps = 2 * half.last_step();
  plan.schedule = *LrSchedule::Create(spec, plan.total_steps);
  EXPECT_TRUE(ForecastEnd(half, plan, Prior::Shipped()).answered());
}

TEST(LawTest, ACurveThatIsNoneOfTheLawsIsNotForecast) {
  Plan plan = CosinePlan(1000);
  Curve cliff, s_shape;
  for (Step s = 10; s <= 400; s += 10) {
    const double t = static_cast<double>(s);
    cliff.Add(s, s <= 200 ? 3.0 : 2.0);
    s_shape.Add(s, 0.3 + 2 / (1 + std::exp((t - 200) / 20)));
  }
  EXPECT_EQ(ForecastEnd(cliff, plan, Prior::Shipped()).reason, NotYet::kOffLaw);
  EXPECT_EQ(ForecastEnd(s_shape, plan, Prior::Shipped()).reason, NotYet::kOffLaw);
}

}  // namespace
}  // namespace curvecast
