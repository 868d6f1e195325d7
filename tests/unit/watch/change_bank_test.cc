#include "core/watch/change_bank.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

constexpr double kSd = 0.01;
constexpr double kStray = 0.002;
constexpr double kAnything = -50;  // A threshold that all evidence passes.

struct Series {
  std::vector<double> steps;
  std::vector<FeatureRow> rows;
  std::vector<double> levels;
  Belief belief;
};

Series Simulate(size_t points, uint64_t seed) {
  const Plan plan = testing::Cosine(20'000);
  const RunClock clock(plan, 0);
  const Archetype& any = Prior::Shipped().Of(clock.kind()).any();
  Series series;
  series.belief = any.loose;
  series.belief.mean = any.MeanOf(TraitsOf(plan, clock));
  const Coefficients at = testing::CoefficientsOf(plan, 0.5, seed);
  testing::Dice dice(seed);
  for (size_t i = 0; i < points; ++i) {
    const double step = 1000 + 40.0 * static_cast<double>(i);
    series.steps.push_back(step);
    series.rows.push_back(Features(clock, {{clock.Share(step), clock.Rate(step)}}).front());
    series.levels.push_back(series.rows.back().dot(at) + kSd * dice.Normal());
  }
  return series;
}

// The filter along a series, as LossWatch runs it.
struct Filter {
  std::vector<double> innovations, variances;
  Reference reference;
  ChangeBank bank;

  Filter(const Series& series, double rho) : reference(series.belief, series.levels[0]) {
    for (size_t i = 0; i < series.steps.size(); ++i) {
      const double r = i == 0 ? 0 : rho, noise = kSd * kSd * (1 - r * r);
      reference.Advance(series.steps[i], kStray);
      const auto expected = reference.Expect(series.rows[i], i == 0 ? FeatureRow::Zero() : series.rows[i - 1], r);
      const double innovation = series.levels[i] - (i == 0 ? 0 : r * series.levels[i - 1]) - expected.value;
      bank.Add({expected, innovation, expected.variance + noise, r, static_cast<Step>(series.steps[i]), 0});
      reference.Update(expected, innovation, noise);
      innovations.push_back(innovation);
      variances.push_back(expected.variance + noise);
    }
  }
};

// What the bank should say of a start, from two runs of the filter: with a fault of amplitude 1, and without.
struct Slow {
  double amplitude = 0;
  Reference::Vector on_state;

  Slow(const Series& series, double rho, size_t start, ChangeBank::Course course) {
    Series faulty = series;
    for (size_t i = start; i < series.levels.size(); ++i) {
      faulty.levels[i] += course == ChangeBank::Course::kStep ? 1 : static_cast<double>(i - start + 1);
    }
    const Filter without(series, rho), with(faulty, rho);
    double square = 0, product = 0;
    for (size_t i = start; i < series.levels.size(); ++i) {
      const double left = with.innovations[i] - without.innovations[i];
      square += left * left / without.variances[i];
      product += left * without.innovations[i] / without.variances[i];
    }
    amplitude = product / square;
    on_state = with.reference.state() - without.reference.state();
  }
};

class ChangeBankTest : public ::testing::TestWithParam<double> {};

// Willsky and Jones: the best amplitude, and what the fault has done to the state, are what a second filter would show.
TEST_P(ChangeBankTest, WhatItSaysOfAChangeIsWhatTwoFiltersShow) {
  for (const size_t points : {5u, 13u, 60u, 250u}) {
    for (const uint64_t seed : {1u, 2u, 3u}) {
      Series series = Simulate(points, seed);
      const size_t began = points - points / 3;
      for (size_t i = began; i < points; ++i) series.levels[i] += 0.05 * (seed == 3 ? static_cast<double>(i) : 1);
      const Filter filter(series, GetParam());
      const auto found = filter.bank.Find(ChangeBank::Side::kUp, kAnything, kSd, 8);
      ASSERT_TRUE(found.has_value());
      const size_t start = points - static_cast<size_t>(found->points);
      ASSERT_EQ(found->began, static_cast<Step>(series.steps[start]));
      if (start == 0) continue;  // The prior's level is the first point's, fault and all.
      const Slow slow(series, GetParam(), start, found->course);
      const double until = found->course == ChangeBank::Course::kStep ? 1 : static_cast<double>(found->points);
      EXPECT_NEAR(found->amplitude, slow.amplitude * until, 1e-8) << points << " " << seed;
      const double off = (found->effect + slow.amplitude * slow.on_state).norm();
      EXPECT_LT(off, 1e-7 * (1 + found->effect.norm())) << points << " " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WhitenedAndNot, ChangeBankTest, ::testing::Values(0.0, 0.4));

// A reference that is perfectly known: innovations of variance 1, and nothing to learn.
class PlainBank {
 public:
  PlainBank() { known_.row.setZero(), known_.gain.setZero(); }
  void Add(double innovation) { bank_.Add({known_, innovation, 1, 0, ++step_, 0}); }
  std::optional<ChangeBank::Finding> Find(ChangeBank::Side side, double log_threshold) const {
    return bank_.Find(side, log_threshold, 1, 8);
  }
  void Clear() { bank_.Clear(); }
  Step step() const { return step_; }

 private:
  Reference::Expected known_;
  ChangeBank bank_;
  Step step_ = 0;
};

TEST(ChangeBankTest, OnWhiteNoiseAlarmsAreNoMoreThanDeclared) {
  const double log_threshold = std::log(1000.0);
  for (const ChangeBank::Side side : {ChangeBank::Side::kUp, ChangeBank::Side::kDown}) {
    PlainBank bank;
    testing::Dice dice(11);
    constexpr int kPoints = 200'000;
    int alarms = 0;
    for (int i = 0; i < kPoints; ++i) {
      bank.Add(dice.Normal());
      if (!bank.Find(side, log_threshold)) continue;
      ++alarms;
      bank.Clear();
    }
    EXPECT_LE(alarms, kPoints / 1000);
    EXPECT_GE(alarms, kPoints / 20'000) << "nor so few that the test does not deserve its name";
  }
}

TEST(ChangeBankTest, AStepIsFoundWithinTwiceLordensBound) {
  const double log_threshold = std::log(1e6);
  for (const double shift : {0.5, 1.0, 2.0, 4.0}) {
    testing::Dice dice(12);
    double delay = 0;
    constexpr int kRuns = 200;
    for (int run = 0; run < kRuns; ++run) {
      PlainBank bank;
      for (int i = 0; i < 150; ++i) bank.Add(dice.Normal());
      int points = 0;
      std::optional<ChangeBank::Finding> found;
      while (!found && points < 5000) {
        bank.Add(shift + dice.Normal());
        ++points;
        found = bank.Find(ChangeBank::Side::kUp, log_threshold);
      }
      ASSERT_TRUE(found.has_value());
      delay += points / static_cast<double>(kRuns);
    }
    EXPECT_LE(delay, 2 * log_threshold / (0.5 * shift * shift)) << shift;
    EXPECT_GE(delay, 0.8 * log_threshold / (0.5 * shift * shift)) << "Lorden's bound itself: " << shift;
  }
}

TEST(ChangeBankTest, AFallIsNoRise) {
  PlainBank bank;
  for (int i = 0; i < 100; ++i) bank.Add(-2);
  EXPECT_FALSE(bank.Find(ChangeBank::Side::kUp, std::log(1e3)).has_value());
  const auto found = bank.Find(ChangeBank::Side::kDown, std::log(1e3));
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(found->amplitude, -2, 1e-9);
}

// The starts that are kept lie close together near the newest point and far apart long ago: whenever the change was,
// one of them is near it, in proportion.
TEST(ChangeBankTest, WheneverItBeganAStartNearItIsStillHeld) {
  for (const int ago : {1, 2, 3, 5, 9, 20, 50, 120, 300, 700}) {
    testing::Dice dice(static_cast<uint64_t>(ago));
    PlainBank bank;
    for (int i = 0; i < 1500; ++i) bank.Add(0.1 * dice.Normal());
    for (int i = 0; i < ago; ++i) bank.Add(4 + 0.1 * dice.Normal());
    const auto found = bank.Find(ChangeBank::Side::kUp, kAnything);
    ASSERT_TRUE(found.has_value()) << ago;
    EXPECT_GE(static_cast<double>(found->points), 0.6 * ago) << ago;
    EXPECT_LE(static_cast<double>(found->points), 1.8 * ago) << ago;
    EXPECT_EQ(found->began, bank.step() - found->points + 1);
  }
}

TEST(ChangeBankTest, WhatIsTooLongAgoIsLetGo) {
  PlainBank bank;
  for (int i = 0; i < 20'000; ++i) bank.Add(1e-3);
  const auto found = bank.Find(ChangeBank::Side::kUp, kAnything);
  ASSERT_TRUE(found.has_value());
  EXPECT_LE(found->points, ChangeBank::kOldest + 1);
}

TEST(ChangeBankTest, ARampIsToldFromAStep) {
  PlainBank ramp, step;
  for (int i = 0; i < 200; ++i) ramp.Add(0), step.Add(0);
  for (int i = 1; i <= 60; ++i) ramp.Add(0.1 * i), step.Add(3);
  EXPECT_EQ(ramp.Find(ChangeBank::Side::kUp, std::log(1e6))->course, ChangeBank::Course::kRamp);
  EXPECT_NEAR(ramp.Find(ChangeBank::Side::kUp, std::log(1e6))->amplitude, 6, 1);
  EXPECT_EQ(step.Find(ChangeBank::Side::kUp, std::log(1e6))->course, ChangeBank::Course::kStep);
  EXPECT_NEAR(step.Find(ChangeBank::Side::kUp, std::log(1e6))->amplitude, 3, 0.5);
}

TEST(ChangeBankTest, ClearedItHoldsNothing) {
  PlainBank bank;
  for (int i = 0; i < 100; ++i) bank.Add(3);
  bank.Clear();
  EXPECT_FALSE(bank.Find(ChangeBank::Side::kUp, kAnything).has_value());
}

}  // namespace
}  // namespace curvecast
