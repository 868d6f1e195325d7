#include "tests/bench/peers/peers.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/peers/prefixes.h"

namespace curvecast::peers {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kEnd = static_cast<double>(kTotal);

// The laws again, a step at a time from their papers' sums, as slow as they come. Rates over their peak.
double SlowMultiPower(const LrSchedule& schedule, double step, double c, double beta, double gamma) {
  double drop = 0;
  const double whole = schedule.SummedRate(kEnd);
  for (double k = schedule.warmup_end() + 1; k <= step; ++k) {
    const double before = schedule.RelativeRate(k - 1), after = schedule.RelativeRate(k);
    const double reach = c * std::pow(after, -gamma) * (schedule.SummedRate(step) - schedule.SummedRate(k)) / whole;
    drop += (before - after) * (1 - std::pow(1 + reach, -beta));
  }
  return drop;
}

double SlowMomentum(const LrSchedule& schedule, double step) {
  double momentum = 0, sum = 0;
  for (double k = schedule.warmup_end() + 1; k <= step; ++k) {
    momentum = 0.999 * momentum + schedule.RelativeRate(k - 1) - schedule.RelativeRate(k);
    sum += momentum;
  }
  return sum / schedule.SummedRate(kEnd);
}

double Power(const LrSchedule& schedule, double step) {
  return 2.5 + 0.4 * std::pow(schedule.SummedRate(step) / schedule.SummedRate(kEnd), -0.5);
}

TEST(PeersTest, LastValueIsTheNewestFiniteOne) {
  const Prefix prefix{.steps = {1, 2, 3, 4}, .values = {5, 4, kNaN, kInf}, .total = 10};
  EXPECT_EQ(LastValue(prefix), 4);
}

TEST(PeersTest, PowerLawInStepsRecoversItsOwnEnd) {
  const auto loss = [](double step) { return 2 + 0.7 * std::pow(step / kEnd, -0.4); };
  for (double fraction : {0.1, 0.2, 0.5}) {
    const auto end = PowerLawInSteps(PrefixOf(loss, fraction, nullptr));
    ASSERT_TRUE(end.has_value());
    EXPECT_NEAR(*end, 2.7, 0.002) << fraction;
  }
}

TEST(PeersTest, PowerLawInStepsStandsOutliers) {
  Prefix prefix = PrefixOf([](double step) { return 2 + 0.7 * std::pow(step / kEnd, -0.4); }, 0.5, nullptr);
  for (size_t i = 30; i < prefix.values.size(); i += 20) prefix.values[i] *= 3;
  EXPECT_NEAR(*PowerLawInSteps(prefix), 2.7, 0.05);
}

TEST(PeersTest, MultiPowerLawRecoversItsOwnEnd) {
  for (const auto& [decay, start] : {std::pair(Decay::kCosine, Step{200}), std::pair(Decay::kLinear, Step{8000})}) {
    const LrSchedule schedule = ScheduleOf(decay, start);
    const auto loss = [&](double step) {
      return Power(schedule, step) - 0.3 * SlowMultiPower(schedule, step, 300, 0.6, 0.6);
    };
    const auto end = MultiPowerLaw(PrefixOf(loss, 0.8, &schedule, 100));
    ASSERT_TRUE(end.has_value());
    EXPECT_NEAR(*end / loss(kEnd), 1, 0.004) << static_cast<int>(decay);
  }
}

TEST(PeersTest, MomentumLawRecoversItsOwnEnd) {
  for (const auto& [decay, start] : {std::pair(Decay::kCosine, Step{200}), std::pair(Decay::kLinear, Step{8000})}) {
    const LrSchedule schedule = ScheduleOf(decay, start);
    const auto loss = [&](double step) { return Power(schedule, step) - 6 * SlowMomentum(schedule, step); };
    const auto end = MomentumLaw(PrefixOf(loss, 0.7, &schedule, 100));
    ASSERT_TRUE(end.has_value());
    EXPECT_NEAR(*end / loss(kEnd), 1, 0.002) << static_cast<int>(decay);
  }
}

TEST(PeersTest, AConstantRateLeavesThePowerLaw) {
  const LrSchedule schedule = ScheduleOf(Decay::kNone, 0);
  const auto loss = [&](double step) { return Power(schedule, step); };
  const Prefix prefix = PrefixOf(loss, 0.3, &schedule);
  EXPECT_NEAR(*MultiPowerLaw(prefix), 2.9, 0.01);
  EXPECT_NEAR(*MomentumLaw(prefix), 2.9, 0.01);
}

TEST(PeersTest, ScalingTheLossScalesEveryAnswer) {
  const LrSchedule schedule = ScheduleOf(Decay::kCosine, 200);
  const auto loss = [&](double step) { return Power(schedule, step) - 6 * SlowMomentum(schedule, step); };
  const Prefix one = PrefixOf(loss, 0.5, &schedule, 200);
  Prefix ten = one;
  for (double& value : ten.values) value *= 10;
  for (const auto& peer : {LastValue, PowerLawInSteps, MultiPowerLaw, MomentumLaw}) {
    EXPECT_NEAR(*peer(ten) / *peer(one), 10, 1e-3);
  }
}

TEST(PeersTest, WithoutAScheduleTheLawsThatNeedOneSayNothing) {
  const Prefix prefix = PrefixOf([](double step) { return 2 + 1 / step; }, 0.5, nullptr);
  EXPECT_FALSE(MultiPowerLaw(prefix).has_value());
  EXPECT_FALSE(MomentumLaw(prefix).has_value());
}

TEST(PeersTest, HostileInputGivesAFiniteAnswerOrNone) {
  const LrSchedule schedule = ScheduleOf(Decay::kCosine, 200);
  std::vector<Prefix> prefixes = {{},
                                  {.steps = {5000, 6000}, .values = {3, 2.9}, .total = kEnd, .schedule = &schedule}};
  for (double value : {2.0, 0.0, -1.0, kNaN, kInf, -kInf, 1e308, 5e-324}) {
    prefixes.push_back(PrefixOf([&](double) { return value; }, 0.5, &schedule));
    prefixes.push_back(PrefixOf([&](double step) { return std::fmod(step, 100) == 0 ? value : 3; }, 0.5, &schedule));
  }
  prefixes.push_back(PrefixOf([](double step) { return step * step; }, 0.5, &schedule));
  prefixes.push_back(prefixes.back());
  prefixes.back().total = 0;
  for (size_t i = 0; i < prefixes.size(); ++i) {
    for (const auto& peer : {LastValue, PowerLawInSteps, MultiPowerLaw, MomentumLaw}) {
      EXPECT_TRUE(std::isfinite(peer(prefixes[i]).value_or(0))) << i;
    }
  }
  EXPECT_FALSE(PowerLawInSteps(prefixes[1]).has_value());
  EXPECT_FALSE(MultiPowerLaw(prefixes[1]).has_value());
}

TEST(PeersTest, AConstantCurveEndsWhereItIs) {
  const LrSchedule schedule = ScheduleOf(Decay::kNone, 0);
  const Prefix prefix = PrefixOf([](double) { return 2.0; }, 0.5, &schedule);
  for (const auto& peer : {LastValue, PowerLawInSteps, MultiPowerLaw, MomentumLaw}) {
    EXPECT_NEAR(*peer(prefix), 2, 0.02);
  }
}

}  // namespace
}  // namespace curvecast::peers
