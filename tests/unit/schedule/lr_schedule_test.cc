#include "core/schedule/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LrSchedule Made(const ScheduleSpec& spec, std::optional<Step> total) {
  absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, total);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return *schedule;
}

std::string Refusal(const ScheduleSpec& spec, std::optional<Step> total) {
  const absl::Status status = CheckSchedule(spec, total);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LrSchedule::Create(spec, total).status(), status);
  return std::string(status.message());
}

ScheduleSpec Shape(Decay decay, double floor) {
  return {.peak_lr = 3e-4,
          .final_lr = 3e-4 * floor,
          .warmup_steps = 100,
          .decay = decay,
          .decay_start_step = 400,
          .knot_steps = {},
          .knot_lrs = {}};
}

double Formula(Decay decay, double floor, double p) {
  switch (decay) {
    case Decay::kNone:
      return 1;
    case Decay::kLinear:
      return 1 - (1 - floor) * p;
    case Decay::kCosine:
      return floor + (1 - floor) * 0.5 * (1 + std::cos(M_PI * p));
    case Decay::kExponential:
      return std::pow(floor, p);
    case Decay::kOneMinusSqrt:
      return 1 - (1 - floor) * std::sqrt(p);
  }
  return kNan;
}

constexpr Decay kDecays[] = {Decay::kNone, Decay::kCosine, Decay::kLinear, Decay::kExponential, Decay::kOneMinusSqrt};

TEST(ScheduleTest, TheRateIsWithinOneInTenThousandOfItsFormula) {
  constexpr Step kTotal = 100'000;
  for (Decay decay : kDecays) {
    for (double floor : {0.9, 0.1, 1e-3, 1e-9}) {
      const LrSchedule schedule = Made(Shape(decay, floor), kTotal);
      double worst = 0;
      for (Step t = 400; t <= kTotal; t += 3) {
        const double p = static_cast<double>(t - 400) / (kTotal - 400.0);
        worst = std::max(worst, std::fabs(schedule.RelativeRate(static_cast<double>(t)) - Formula(decay, floor, p)));
      }
      EXPECT_LE(worst, 1e-4) << "decay " << static_cast<int>(decay) << " to " << floor;
    }
  }
}

TEST(ScheduleTest, WarmsUpHoldsFallsAndHoldsTheEnd) {
  const LrSchedule schedule = Made(Shape(Decay::kLinear, 0.1), 1000);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(-5), 0);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(0), 0);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(50), 0.5);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(100), 1);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(250), 1);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(700), 0.55);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(1000), 0.1);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(5000), 0.1);
  EXPECT_DOUBLE_EQ(schedule.warmup_end(), 100);
  EXPECT_DOUBLE_EQ(schedule.peak_lr(), 3e-4);
  EXPECT_FALSE(schedule.constant());
}

TEST(ScheduleTest, TheSumIsTheIntegralOfTheRate) {
  for (Decay decay : kDecays) {
    const LrSchedule schedule = Made(Shape(decay, 0.01), 5000);
    double sum = 0;
    constexpr double kStep = 0.125;
    for (double t = 0; t < 6000; t += kStep) {
      EXPECT_NEAR(schedule.SummedRate(t), sum, 1e-3) << "decay " << static_cast<int>(decay) << " at " << t;
      if (testing::Test::HasFailure()) return;
      sum += kStep * schedule.RelativeRate(t + kStep / 2);
    }
  }
}

TEST(ScheduleTest, TheSumNeverFalls) {
  for (Decay decay : kDecays) {
    const LrSchedule schedule = Made(Shape(decay, 1e-6), 777);
    double last = 0;
    for (double t = -10; t < 1000; t += 0.7) {
      EXPECT_GE(schedule.SummedRate(t), last);
      last = schedule.SummedRate(t);
    }
  }
}

TEST(ScheduleTest, KnotsAreJoinedByLinesAndHeldOutside) {
  const LrSchedule schedule = Made({.knot_steps = {10, 20, 40}, .knot_lrs = {0.5, 2, 1}}, std::nullopt);
  EXPECT_DOUBLE_EQ(schedule.peak_lr(), 2);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.SummedRate(4), 1);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(15), 0.625);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(30), 0.75);
  EXPECT_DOUBLE_EQ(schedule.RelativeRate(1000), 0.5);
  EXPECT_DOUBLE_EQ(schedule.SummedRate(50), 2.5 + 6.25 + 15 + 5);
  EXPECT_DOUBLE_EQ(schedule.warmup_end(), 20);
}

TEST(ScheduleTest, ConstantIsOneFromTheStart) {
  const LrSchedule schedule = LrSchedule::Constant();
  EXPECT_TRUE(schedule.constant());
  EXPECT_DOUBLE_EQ(schedule.SummedRate(123), 123);
  EXPECT_DOUBLE_EQ(schedule.warmup_end(), 0);
}

TEST(ScheduleTest, AShapeWithoutDecayNeedsNoTotal) {
  const LrSchedule schedule = Made({.peak_lr = 1, .warmup_steps = 10}, std::nullopt);
  EXPECT_TRUE(schedule.constant());
  EXPECT_DOUBLE_EQ(schedule.SummedRate(10), 5);
}

TEST(ScheduleTest, RefusesWithTheFieldTheValueAndWhatToWrite) {
  EXPECT_THAT(Refusal({.peak_lr = 0}, 100), HasSubstr("peak_lr: 0"));
  EXPECT_THAT(Refusal({.peak_lr = kNan}, 100), HasSubstr("peak_lr: nan"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .final_lr = 2}, 100), HasSubstr("final_lr: 2 is outside 0 to peak_lr 1"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .warmup_steps = -1}, 100), HasSubstr("warmup_steps: -1"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .decay_start_step = -3}, 100), HasSubstr("decay_start_step: -3"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .decay = Decay::kCosine}, std::nullopt), HasSubstr("give total_steps"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .warmup_steps = 100, .decay = Decay::kLinear}, 100), HasSubstr("step 100"));
  EXPECT_THAT(Refusal({.peak_lr = 1, .decay = Decay::kExponential}, 100), HasSubstr("final_lr: 0 cannot"));
  EXPECT_THAT(Refusal({.knot_steps = {1, 2}, .knot_lrs = {1}}, 100), HasSubstr("knots.lr: 1 rates for 2 steps"));
  EXPECT_THAT(Refusal({.knot_steps = {2, 2}, .knot_lrs = {1, 1}}, 100), HasSubstr("knots.step[1]: 2 does not exceed"));
  EXPECT_THAT(Refusal({.knot_steps = {-2}, .knot_lrs = {1}}, 100), HasSubstr("knots.step[0]: -2"));
  EXPECT_THAT(Refusal({.knot_steps = {1, 2}, .knot_lrs = {0, kNan}}, 100), HasSubstr("knots.lr[1]: nan"));
  EXPECT_THAT(Refusal({.knot_steps = {1, 2}, .knot_lrs = {0, 0}}, 100), HasSubstr("every rate is 0"));
}

TEST(ScheduleTest, ExtremesOfStepsAndRatesStayFinite) {
  const LrSchedule tiny = Made({.peak_lr = 5e-324, .warmup_steps = 1, .decay = Decay::kCosine}, 2);
  EXPECT_TRUE(std::isfinite(tiny.SummedRate(2)));
  const LrSchedule long_run = Made(
      {.peak_lr = 1e308, .final_lr = 5e-324, .warmup_steps = 1, .decay = Decay::kExponential, .decay_start_step = 2},
      kMaxStep);
  EXPECT_TRUE(std::isfinite(long_run.SummedRate(static_cast<double>(kMaxStep))));
  EXPECT_GE(long_run.RelativeRate(static_cast<double>(kMaxStep)), 0);
}

}  // namespace
}  // namespace curvecast
