#include "core/schedule/infer_schedule.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

constexpr double kPeak = 3e-4;
constexpr double kPrefixes[] = {0.05, 0.2, 0.5, 0.8};

// The rate at a step, as a job computes it.
using Rates = std::function<double(double)>;

double Formula(const ScheduleSpec& s, Step total, double t) {
  const double warmup = static_cast<double>(s.warmup_steps);
  if (t < warmup) return s.peak_lr * t / warmup;
  const double start = std::max(warmup, static_cast<double>(s.decay_start_step));
  const double u = std::clamp((t - start) / (static_cast<double>(total) - start), 0.0, 1.0);
  switch (s.decay) {
    case Decay::kNone:
      return s.peak_lr;
    case Decay::kCosine:
      return s.final_lr + (s.peak_lr - s.final_lr) * 0.5 * (1 + std::cos(M_PI * u));
    case Decay::kLinear:
      return s.peak_lr + (s.final_lr - s.peak_lr) * u;
    case Decay::kExponential:
      return s.peak_lr * std::pow(s.final_lr / s.peak_lr, u);
    case Decay::kOneMinusSqrt:
      return s.peak_lr - (s.peak_lr - s.final_lr) * std::sqrt(u);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Rates Following(const ScheduleSpec& s, Step total) {
  return [s, total](double t) { return Formula(s, total, t); };
}

Curve Logged(const Rates& rates, Step total, double part, Step every = 1) {
  Curve curve;
  for (Step t = every; static_cast<double>(t) <= part * static_cast<double>(total); t += every) {
    curve.Add(t, rates(static_cast<double>(t)));
  }
  return curve;
}

ScheduleSpec Decaying(Decay decay, double floor, Step total, double start = 0) {
  return {.peak_lr = kPeak,
          .final_lr = floor * kPeak,
          .warmup_steps = total / 50,
          .decay = decay,
          .decay_start_step = static_cast<Step>(start * static_cast<double>(total))};
}

// How far the inferred schedule is off the formula at worst, over the peak: its rate from 4 % of the run on, and its
// sum over the run's length everywhere. (Where warm-up ends is only known to within a bin.)
double WorstMiss(const InferredSchedule& inferred, const Rates& rates, Step total) {
  const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(*inferred.schedule, total);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  constexpr int kPieces = 2000;
  const double length = static_cast<double>(total);
  double worst = 0, sum = 0;
  for (int k = 1; k <= kPieces; ++k) {
    const double t = length * k / kPieces;
    sum += rates(t - 0.5 * length / kPieces) / kPeak / kPieces;
    worst = std::max(worst, std::fabs(schedule->SummedRate(t) * schedule->peak_lr() / kPeak / length - sum));
    if (k < 0.04 * kPieces) continue;
    worst = std::max(worst, std::fabs(schedule->RelativeRate(t) * schedule->peak_lr() - rates(t)) / kPeak);
  }
  return worst;
}

TEST(InferScheduleTest, EachDecayFromTheWarmUpOnIsRecoveredFromAnyPrefix) {
  for (const Step total : {Step{1000}, Step{4000}, Step{100'000}}) {
    for (const auto& [decay, floor] :
         {std::pair(Decay::kCosine, 0.0), std::pair(Decay::kCosine, 0.1), std::pair(Decay::kLinear, 0.0),
          std::pair(Decay::kLinear, 0.05), std::pair(Decay::kExponential, 0.01)}) {
      const Rates rates = Following(Decaying(decay, floor, total), total);
      for (const double part : kPrefixes) {
        SCOPED_TRACE(testing::Message() << NameOf(decay) << " to " << floor << ", " << part << " of " << total);
        const InferredSchedule inferred = InferSchedule(Logged(rates, total, part, total / 1000), total);
        ASSERT_EQ(inferred.shape, RateShape::kDecaying);
        EXPECT_EQ(inferred.decay, decay);
        EXPECT_NEAR(inferred.final_lr, floor * kPeak, 1e-3 * kPeak);
        EXPECT_LE(WorstMiss(inferred, rates, total), 0.01);
      }
    }
  }
}

TEST(InferScheduleTest, AHoldIsFlatUntilItFallsAndThenTheDecayIsRecovered) {
  constexpr Step kTotal = 4000;
  for (const Decay decay : {Decay::kCosine, Decay::kLinear, Decay::kOneMinusSqrt}) {
    for (const double start : {0.4, 0.7}) {
      const Rates rates = Following(Decaying(decay, 0.05, kTotal, start), kTotal);
      for (const double part : {0.05, 0.2, start}) {
        EXPECT_EQ(InferSchedule(Logged(rates, kTotal, part, 4), kTotal).shape, RateShape::kFlat);
      }
      const InferredSchedule inferred = InferSchedule(Logged(rates, kTotal, start + 0.1, 4), kTotal);
      SCOPED_TRACE(testing::Message() << NameOf(decay) << " from " << start);
      ASSERT_EQ(inferred.shape, RateShape::kDecaying);
      EXPECT_EQ(inferred.decay, decay);
      EXPECT_NEAR(static_cast<double>(inferred.decay_start_step), start * kTotal, 0.01 * kTotal);
      EXPECT_LE(WorstMiss(inferred, rates, kTotal), 0.03);
    }
  }
}

TEST(InferScheduleTest, RatesOfThreeDigitsAndRatesThatAreHeldInBetweenWillDo) {
  constexpr Step kTotal = 4000;
  for (const auto& [decay, floor] : {std::pair(Decay::kCosine, 0.1), std::pair(Decay::kLinear, 0.0)}) {
    const Rates exact = Following(Decaying(decay, floor, kTotal), kTotal);
    const Rates rounded = [exact](double t) { return std::stod(fmt::format("{:.2e}", exact(t))); };
    const Rates in_stairs = [exact](double t) { return exact(std::floor(t / 40) * 40); };
    for (const double part : {0.2, 0.5, 0.8}) {
      for (const Rates& rates : {rounded, in_stairs}) {
        const InferredSchedule inferred = InferSchedule(Logged(rates, kTotal, part), kTotal);
        SCOPED_TRACE(testing::Message() << NameOf(decay) << " " << part);
        ASSERT_EQ(inferred.shape, RateShape::kDecaying);
        EXPECT_EQ(inferred.decay, decay);
        EXPECT_LE(WorstMiss(inferred, exact, kTotal), 0.03);
      }
    }
  }
}

TEST(InferScheduleTest, AJobThatCountsItsStepsOneOffIsUnderstood) {
  for (const Step total : {Step{200}, Step{1000}}) {
    const ScheduleSpec spec = Decaying(Decay::kCosine, 0.1, total);
    for (const double part : {0.2, 0.5, 0.8}) {
      for (const Rates& rates : {Following(spec, total - 1), Following(spec, total + 1)}) {
        EXPECT_EQ(InferSchedule(Logged(rates, total, part), total).decay, Decay::kCosine) << part << " of " << total;
      }
    }
  }
}

TEST(InferScheduleTest, FewLoggedRatesAreEnough) {
  const Rates rates = Following(Decaying(Decay::kCosine, 0.1, 4000), 4000);
  const InferredSchedule inferred = InferSchedule(Logged(rates, 4000, 0.2, 100), 4000);
  ASSERT_EQ(inferred.shape, RateShape::kDecaying);
  EXPECT_LE(WorstMiss(inferred, rates, 4000), 0.02);
}

TEST(InferScheduleTest, AConstantRateIsFlatAndNeverMore) {
  for (const Step warmup : {Step{0}, Step{80}}) {
    const Rates rates = Following({.peak_lr = kPeak, .warmup_steps = warmup}, 4000);
    for (const double part : kPrefixes) {
      const InferredSchedule inferred = InferSchedule(Logged(rates, 4000, part), 4000);
      EXPECT_EQ(inferred.shape, RateShape::kFlat);
      EXPECT_FALSE(inferred.schedule.has_value()) << "it may fall yet";
      EXPECT_TRUE(inferred.so_far.has_value());
    }
  }
}

TEST(InferScheduleTest, StepsCyclesRestartsAndOtherEndsAreNoneOfTheDecays) {
  constexpr double kT = 4000;
  const auto cosine = [](double u) { return 0.5 + 0.5 * std::cos(M_PI * std::min(u, 1.0)); };
  const std::pair<const char*, Rates> others[] = {
      {"step decay", [](double t) { return t < 0.1 * kT   ? 1
                                           : t < 0.4 * kT ? 0.1
                                                          : 0.01; }},
      {"halved every tenth", [](double t) { return std::pow(0.5, std::floor(t / (0.07 * kT))); }},
      {"triangles", [](double t) { return 0.1 + 0.9 * std::fabs(1 - 2 * std::fmod(t / (0.12 * kT), 1)); }},
      {"warm restarts", [&](double t) { return cosine(std::fmod(t / (0.15 * kT), 1)); }},
      {"a cosine that ends early", [&](double t) { return 0.1 + 0.9 * cosine(t / (0.6 * kT)); }},
      {"a cosine that ends late", [&](double t) { return cosine(t / (1.5 * kT)); }},
      {"a line that ends early", [](double t) { return std::max(0.0, 1 - t / (0.6 * kT)); }},
      {"inverse square root", [](double t) { return std::sqrt(0.02 * kT / std::max(t, 0.02 * kT)); }}};
  for (const auto& [name, rates] : others) {
    for (int percent = 2; percent < 100; percent += 2) {
      const InferredSchedule inferred = InferSchedule(Logged(rates, 4000, percent / 100.0), 4000);
      EXPECT_FALSE(inferred.schedule.has_value()) << name << " at " << percent << " %: " << Describe(inferred);
      if (percent != 50) continue;
      EXPECT_EQ(inferred.shape, RateShape::kOther) << name;
    }
  }
}

TEST(InferScheduleTest, WhatRisesOnlyIsWarmingUp) {
  const Rates rates = Following(Decaying(Decay::kCosine, 0, 4000), 4000);
  EXPECT_EQ(InferSchedule(Logged(rates, 4000, 0.015), 4000).shape, RateShape::kWarmingUp);
}

TEST(InferScheduleTest, ALongWarmUpIsKeptAsItWasLogged) {
  const auto cosine = [](double u) { return 0.5 + 0.5 * std::cos(M_PI * u); };
  const Rates one_cycle = [&](double t) {
    return kPeak * (t < 1200 ? 0.04 + 0.96 * (1 - cosine(t / 1200)) : cosine((t - 1200) / 2800));
  };
  const InferredSchedule inferred = InferSchedule(Logged(one_cycle, 4000, 0.5), 4000);
  ASSERT_EQ(inferred.shape, RateShape::kDecaying);
  EXPECT_EQ(inferred.decay, Decay::kCosine);
  EXPECT_LE(WorstMiss(inferred, one_cycle, 4000), 0.01);
}

TEST(InferScheduleTest, RatesToTheEndAreTakenAsLogged) {
  const Rates steps = [](double t) { return t < 1200 ? kPeak : kPeak / 10; };
  const InferredSchedule inferred = InferSchedule(Logged(steps, 4000, 1), 4000);
  ASSERT_EQ(inferred.shape, RateShape::kComplete);
  const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(*inferred.schedule, 4000);
  ASSERT_TRUE(schedule.ok());
  EXPECT_DOUBLE_EQ(schedule->RelativeRate(1000), 1);
  EXPECT_NEAR(schedule->RelativeRate(2000), 0.1, 1e-12);
}

TEST(InferScheduleTest, ScalingTheRatesScalesTheAnswer) {
  const Rates rates = Following(Decaying(Decay::kCosine, 0.1, 4000), 4000);
  const InferredSchedule one = InferSchedule(Logged(rates, 4000, 0.5), 4000);
  const InferredSchedule many = InferSchedule(Logged([&](double t) { return 1024 * rates(t); }, 4000, 0.5), 4000);
  EXPECT_EQ(many.decay_start_step, one.decay_start_step);
  EXPECT_EQ(many.final_lr, 1024 * one.final_lr);
  EXPECT_EQ(many.schedule->knot_steps, one.schedule->knot_steps);
}

TEST(InferScheduleTest, TheSameRatesGiveTheSameBits) {
  const Curve curve = Logged(Following(Decaying(Decay::kLinear, 0.1, 4000), 4000), 4000, 0.5);
  EXPECT_EQ(InferSchedule(curve, 4000).schedule, InferSchedule(curve, 4000).schedule);
}

TEST(InferScheduleTest, NothingIsSaidOfTooLittleOrOfWhatIsNoRate) {
  const Curve few = Logged([](double) { return 1; }, 2, 1);
  EXPECT_EQ(InferSchedule({}, 4000).shape, RateShape::kTooFew);
  EXPECT_EQ(InferSchedule(few, 4000).shape, RateShape::kTooFew);
  EXPECT_EQ(InferSchedule(Logged([](double) { return 1; }, 100, 1), std::nullopt).shape, RateShape::kTooFew);
  EXPECT_EQ(InferSchedule(Logged([](double) { return 0; }, 100, 1), 4000).shape, RateShape::kNotARate);
  EXPECT_EQ(InferSchedule(Logged([](double t) { return t < 50 ? 1 : -1; }, 100, 1), 4000).shape, RateShape::kNotARate);
}

TEST(InferScheduleTest, AnyDoublesComeOutAsAScheduleThatHoldsOrAsNone) {
  uint64_t state = 1;
  const auto next = [&state] { return state = state * 6364136223846793005u + 1442695040888963407u, state >> 33; };
  const double extremes[] = {0, 5e-324, 1e-300, 1e-9, 1, 1e300, std::numeric_limits<double>::max()};
  for (int run = 0; run < 3000; ++run) {
    Curve curve;
    const Step total = static_cast<Step>(1 + next() % 3000);
    double rate = extremes[next() % 7];
    for (uint64_t n = next() % 40; n > 0; --n) {
      if (next() % 4 == 0) rate *= static_cast<double>(next() % 1000) / 1000;
      if (next() % 16 == 0) rate = extremes[next() % 7];
      curve.Add(static_cast<Step>(next() % 3000), rate);
    }
    const InferredSchedule inferred = InferSchedule(curve, total);
    EXPECT_EQ(inferred.schedule.has_value(),
              inferred.shape == RateShape::kDecaying || inferred.shape == RateShape::kComplete);
    for (const auto& spec : {inferred.schedule, inferred.so_far}) {
      if (!spec) continue;
      EXPECT_TRUE(CheckSchedule(*spec, total).ok()) << CheckSchedule(*spec, total);
    }
  }
}

TEST(InferScheduleTest, ItIsSaidInWordsAndHowSureTheEndIs) {
  const Rates exact = Following(Decaying(Decay::kCosine, 0.1, 4000), 4000);
  EXPECT_EQ(Describe(InferSchedule(Logged(exact, 4000, 0.5, 5), 4000)), "peak at step 80, cosine, 0.0003 to 3e-05");
  const Rates rounded = [exact](double t) { return std::stod(fmt::format("{:.2e}", exact(t))); };
  EXPECT_THAT(Describe(InferSchedule(Logged(rounded, 4000, 0.2), 4000)), HasSubstr("cosine, 0.0003001 to about "));
  EXPECT_THAT(Describe(InferSchedule(Logged([](double) { return 0.1; }, 4000, 0.5), 4000)),
              HasSubstr("constant at 0.1 so far, unknown from here"));
}

}  // namespace
}  // namespace curvecast
