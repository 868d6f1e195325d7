// Whatever bits come in: finite numbers out, or a reason.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "core/law/law.h"
#include "gtest/gtest.h"
#include "tests/unit/law/synthetic.h"

namespace curvecast {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kHostile[] = {0.0,       -0.0,     std::numeric_limits<double>::quiet_NaN(),
                               5e-324,    1e-308,   1e308,
                               -1e308,    1.79e308, 1,
                               1e-10,     -1e-10,   kInfinity,
                               -kInfinity};

double AnyOf(std::mt19937_64& random) { return kHostile[random() % std::size(kHostile)]; }

double AnyBits(std::mt19937_64& random) {
  const uint64_t bits = random();
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

Plan AnyPlan(std::mt19937_64& random, int i) {
  Plan plan = testing::PlainPlan(1 + static_cast<Step>(random() % (i % 7 == 0 ? uint64_t{1} << 53 : 300)));
  if (i % 3 != 0) {
    ScheduleSpec spec;
    spec.peak_lr = i % 5 == 0 ? 5e-324 : 1;
    spec.warmup_steps = static_cast<Step>(random() % 20);
    spec.decay = static_cast<Decay>(random() % 5);
    spec.final_lr = spec.decay == Decay::kExponential ? 1e-3 : 0;
    const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, plan.total_steps);
    if (schedule.ok()) plan.schedule = *schedule;
  }
  if (i % 2 == 0) plan.tokens_per_step = AnyOf(random);
  if (i % 4 < 2) plan.parameters = i % 8 == 0 ? AnyBits(random) : AnyOf(random);
  plan.maximize = i % 9 == 0;
  return plan;
}

Curve AnyCurve(std::mt19937_64& random, int i) {
  Curve curve;
  const uint64_t points = random() % 400;
  for (uint64_t k = 0; k < points; ++k) {
    const Step step = static_cast<Step>(random() % 300);
    double value = 1 + static_cast<double>(random() % 1000);
    if (i % 4 == 0) value = std::fabs(AnyOf(random));
    if (i % 4 == 1) value = AnyOf(random);
    if (i % 4 == 2) value = AnyBits(random);
    curve.Add(step, value);
  }
  return curve;
}

TEST(HostileTest, NoNanComesOutForAnyDoublesIn) {
  std::mt19937_64 random(5);
  int answered = 0;
  for (int i = 0; i < 4000; ++i) {
    const Plan plan = AnyPlan(random, i);
    const Forecast f = ForecastEnd(AnyCurve(random, i), plan, Prior::Shipped());
    answered += f.answered() ? 1 : 0;
    testing::ExpectSane(f);
    if (HasFailure()) FAIL() << "case " << i;
  }
  EXPECT_GT(answered, 500);
}

// A belief that is finite, and as far off as one can be.
TEST(HostileTest, NorForAnyKin) {
  std::mt19937_64 random(6);
  int answered = 0;
  for (int i = 0; i < 2000; ++i) {
    const Plan plan = AnyPlan(random, i);
    Belief kin;
    for (double& c : kin.mean) c = static_cast<double>(static_cast<int64_t>(random() % 2001) - 1000);
    const double spread = std::pow(10.0, static_cast<double>(random() % 17) - 12);
    ASSERT_TRUE(SetCovariance(spread * CoefficientMatrix::Identity(), kin));
    kin.stray = i % 2 == 0 ? 1e-9 : 1;
    for (double& offset : kin.bend.offsets) offset = i % 5 == 0 ? 0.5 : -0.5;
    const Forecast f = ForecastEnd(AnyCurve(random, i), plan, Prior::Shipped(), {.kin = &kin, .factors = nullptr});
    answered += f.answered() ? 1 : 0;
    testing::ExpectSane(f);
    if (HasFailure()) FAIL() << "case " << i;
  }
  EXPECT_GT(answered, 200);
}

// A warm-up so long and low that next to nothing of the summed rate is spent where the law looks first.
TEST(HostileTest, ARateOfAlmostNothingForMostOfTheRunIsAnsweredOrNot) {
  for (const double low : {0.0, 1e-300, 1e-12, 1e-6, 1e-3}) {
    ScheduleSpec spec;
    spec.knot_steps = {0, 10, 11, 900, 1000};
    spec.knot_lrs = {1, 1, low, low, 1};
    Plan plan = testing::PlainPlan(1000);
    const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, 1000);
    ASSERT_TRUE(schedule.ok());
    plan.schedule = *schedule;
    Curve curve;
    for (Step s = 1; s < 950; ++s) {
      curve.Add(s, 2 + 1 / static_cast<double>(s));
      if (s % 50 == 0) testing::ExpectSane(ForecastEnd(curve, plan, Prior::Shipped()));
    }
  }
}

}  // namespace
}  // namespace curvecast
