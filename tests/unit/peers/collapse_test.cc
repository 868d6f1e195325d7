#include "tests/bench/peers/collapse.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "tests/unit/peers/prefixes.h"

namespace curvecast::peers {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kEnd = static_cast<double>(kTotal);

// A universal curve, times a level of each run's own.
double Universal(const LrSchedule& schedule, double step) {
  return 0.7 + 0.3 * std::pow(schedule.SummedRate(step) / schedule.SummedRate(kEnd), -0.3);
}

TEST(CollapseTest, SiblingsOnOneCurveTellTheEndExactly) {
  const LrSchedule schedule = ScheduleOf(Decay::kCosine, 200);
  std::vector<CollapsedCurve> curves;
  for (double level : {2.0, 3.0, 5.0}) {
    const auto loss = [&](double step) { return level * Universal(schedule, step); };
    curves.push_back(*Collapse(PrefixOf(loss, 1, &schedule), level));
  }
  const auto loss = [&](double step) { return 2.5 * Universal(schedule, step); };
  for (double fraction : {0.1, 0.5, 0.8}) {
    for (double every : {50.0, 700.0}) {  // The sparse one is not aligned with the siblings' steps.
      const auto end =
          CollapseEarlyAlign(PrefixOf(loss, fraction, &schedule, every), {&curves[0], &curves[1], &curves[2]});
      ASSERT_TRUE(end.has_value());
      EXPECT_NEAR(*end, 2.5, 0.01) << fraction << " " << every;
    }
  }
}

TEST(CollapseTest, LengthsMayDifferAtEqualShare) {
  const LrSchedule schedule = ScheduleOf(Decay::kNone, 0);
  const auto loss = [&](double step) { return 3 * Universal(schedule, step); };
  const CollapsedCurve curve = *Collapse(PrefixOf(loss, 1, nullptr), 3);
  Prefix prefix = PrefixOf(loss, 0.4, nullptr);
  prefix.total *= 7;
  for (double& step : prefix.steps) step *= 7;
  for (double& value : prefix.values) value *= 2;
  EXPECT_NEAR(*CollapseEarlyAlign(prefix, {&curve}), 6, 0.02);
}

TEST(CollapseTest, NoSiblingOrNoPointIsNoAnswer) {
  const LrSchedule schedule = ScheduleOf(Decay::kNone, 0);
  const Prefix prefix = PrefixOf([](double) { return 2.0; }, 0.5, &schedule);
  const CollapsedCurve curve = *Collapse(PrefixOf([](double) { return 2.0; }, 1, &schedule), 2);
  EXPECT_FALSE(CollapseEarlyAlign(prefix, {}).has_value());
  EXPECT_FALSE(
      CollapseEarlyAlign({.steps = {}, .values = {}, .total = kEnd, .schedule = &schedule}, {&curve}).has_value());
  EXPECT_FALSE(Collapse(prefix, kNaN).has_value());
  EXPECT_FALSE(Collapse(prefix, 0).has_value());
}

TEST(CollapseTest, HostileInputGivesAFiniteAnswerOrNone) {
  const LrSchedule schedule = ScheduleOf(Decay::kCosine, 200);
  for (double bad : {kNaN, -1.0, 0.0, std::numeric_limits<double>::infinity(), 1e308, 5e-324}) {
    for (double every : {1.0, 2.0}) {
      const auto loss = [&](double step) { return std::fmod(step / 50, 2) < every ? bad : 3; };
      const auto curve = Collapse(PrefixOf(loss, 1, &schedule), 3);
      const CollapsedCurve good = *Collapse(PrefixOf([](double) { return 3.0; }, 1, &schedule), 3);
      const auto first = CollapseEarlyAlign(PrefixOf(loss, 0.5, &schedule), {&good});
      EXPECT_TRUE(std::isfinite(first.value_or(0))) << bad;
      if (!curve.has_value()) continue;
      const auto second = CollapseEarlyAlign(PrefixOf(loss, 0.5, &schedule), {&*curve, &good});
      EXPECT_TRUE(std::isfinite(second.value_or(0))) << bad;
    }
  }
}

}  // namespace
}  // namespace curvecast::peers
