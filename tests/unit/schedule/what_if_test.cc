#include "core/schedule/what_if.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

constexpr Step kTotal = 4000;
constexpr double kPeak = 3e-3;

ScheduleSpec Cosine() { return {.peak_lr = kPeak, .final_lr = 3e-4, .warmup_steps = 100, .decay = Decay::kCosine}; }
ScheduleSpec Constant() { return {.peak_lr = kPeak, .warmup_steps = 100}; }

RatePlan Planned(const ScheduleSpec& schedule) { return {.total_steps = kTotal, .schedule = schedule}; }

// The rate itself, not over the peak.
double Rate(const ScheduleSpec& spec, Step total, double step) {
  const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, total);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return schedule->RelativeRate(step) * schedule->peak_lr();
}

WhatIfPlan Made(const RatePlan& plan, Step newest, const WhatIf& what_if) {
  absl::StatusOr<WhatIfPlan> made = MakeWhatIfPlan(plan, newest, what_if);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.value_or(WhatIfPlan{});
}

std::string Refusal(const RatePlan& plan, Step newest, const WhatIf& what_if) {
  const absl::Status status = MakeWhatIfPlan(plan, newest, what_if).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(WhatIfTest, WhateverIsAskedThePastStaysAsItWasPlanned) {
  const WhatIf questions[] = {
      {.total_steps = 8000},
      {.total_steps = 2500},
      {.schedule = ScheduleSpec{.peak_lr = 1e-3}},
      {.decay = Decay::kNone},
      {.decay = Decay::kLinear},
      {.total_steps = 9000, .decay = Decay::kOneMinusSqrt, .decay_start_step = 7000, .final_lr = 1e-4}};
  for (const WhatIf& question : questions) {
    const WhatIfPlan made = Made(Planned(Cosine()), 2000, question);
    ASSERT_TRUE(made.schedule.has_value());
    for (Step step = 0; step <= 2000; ++step) {
      const double at = static_cast<double>(step);
      ASSERT_NEAR(Rate(*made.schedule, made.total_steps, at), Rate(Cosine(), kTotal, at), 1e-4 * kPeak) << step;
    }
  }
}

TEST(WhatIfTest, TheTotalAsItIsChangesNothing) {
  for (const ScheduleSpec& schedule : {Cosine(), Constant()}) {
    const WhatIfPlan made = Made(Planned(schedule), 1234, {.total_steps = kTotal});
    for (Step step = 0; step <= 5000; ++step) {
      const double at = static_cast<double>(step);
      ASSERT_NEAR(Rate(*made.schedule, kTotal, at), Rate(schedule, kTotal, at), 1e-4 * kPeak) << step;
    }
  }
}

TEST(WhatIfTest, AnotherTotalStretchesTheRestOfThePlan) {
  const WhatIfPlan longer = Made(Planned(Cosine()), 2000, {.total_steps = 8000});
  EXPECT_EQ(longer.total_steps, 8000);
  EXPECT_THAT(longer.words, HasSubstr("as planned to step 2000, the rest stretched to step 8000"));
  const WhatIfPlan shorter = Made(Planned(Cosine()), 2000, {.total_steps = 3000});
  EXPECT_THAT(shorter.words, HasSubstr("drawn together to step 3000"));
  for (double part = 0; part <= 1; part += 1.0 / 64) {
    const double planned = Rate(Cosine(), kTotal, 2000 + 2000 * part);
    EXPECT_NEAR(Rate(*longer.schedule, 8000, 2000 + 6000 * part), planned, 2e-4 * kPeak);
    EXPECT_NEAR(Rate(*shorter.schedule, 3000, 2000 + 1000 * part), planned, 5e-4 * kPeak) << "whole steps are coarser";
  }
}

TEST(WhatIfTest, AConstantRateStaysConstantOverAnyTotal) {
  const WhatIfPlan made = Made(Planned(Constant()), 2000, {.total_steps = 8000});
  const absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(*made.schedule, 8000);
  ASSERT_TRUE(schedule.ok());
  EXPECT_TRUE(schedule->constant());
  EXPECT_EQ(schedule->warmup_end(), 100);
  EXPECT_THAT(made.words, HasSubstr("held at 0.003"));
}

TEST(WhatIfTest, ARunAtItsPlannedEndGoesOnAtItsLastRate) {
  const WhatIfPlan made = Made(Planned(Cosine()), kTotal, {.total_steps = 8000});
  EXPECT_EQ(made.words, "as planned to step 4000, then held at 0.0003 to step 8000");
  EXPECT_DOUBLE_EQ(Rate(*made.schedule, 8000, 8000), 3e-4);
  EXPECT_NEAR(Rate(*made.schedule, 8000, 2000), Rate(Cosine(), kTotal, 2000), 1e-4 * kPeak);
}

TEST(WhatIfTest, ADecayFallsFromThePresentRateToItsEnd) {
  const WhatIfPlan made = Made(Planned(Constant()), 2000, {.decay = Decay::kLinear, .final_lr = 1e-3});
  EXPECT_DOUBLE_EQ(Rate(*made.schedule, kTotal, 2000), kPeak);
  EXPECT_NEAR(Rate(*made.schedule, kTotal, 3000), 2e-3, 1e-12);
  EXPECT_NEAR(Rate(*made.schedule, kTotal, 4000), 1e-3, 1e-12);
  EXPECT_EQ(made.words, "as planned to step 2000, then linear from 0.003 to 0.001");
}

TEST(WhatIfTest, ADecayAskedOfAConstantRateIsTheScheduleThatCouldHaveBeenDeclared) {
  ScheduleSpec declared = Constant();
  declared.final_lr = 1e-4;
  declared.decay_start_step = 3200;
  for (const Decay decay : {Decay::kCosine, Decay::kLinear, Decay::kExponential, Decay::kOneMinusSqrt}) {
    declared.decay = decay;
    const WhatIfPlan made =
        Made(Planned(Constant()), 2000, {.decay = decay, .decay_start_step = 3200, .final_lr = 1e-4});
    for (double step = 0; step <= kTotal; ++step) {
      ASSERT_NEAR(Rate(*made.schedule, kTotal, step), Rate(declared, kTotal, step), 1e-4 * kPeak) << step;
    }
  }
}

TEST(WhatIfTest, ADecayThatStartsLaterHoldsThePresentRateUntilThen) {
  const WhatIfPlan made = Made(Planned(Cosine()), 2000,
                               {.total_steps = 8000, .decay = Decay::kCosine, .decay_start_step = 6000, .final_lr = 0});
  const double present = Rate(Cosine(), kTotal, 2000);
  EXPECT_DOUBLE_EQ(Rate(*made.schedule, 8000, 5999), present);
  EXPECT_NEAR(Rate(*made.schedule, 8000, 7000), present / 2, 1e-4 * kPeak);
  EXPECT_EQ(Rate(*made.schedule, 8000, 8000), 0);
  EXPECT_THAT(made.words, HasSubstr("held to step 6000, then cosine from"));
}

TEST(WhatIfTest, WithoutAFinalRateADecayEndsWhereThePlanDoesOrAtZero) {
  EXPECT_DOUBLE_EQ(Rate(*Made(Planned(Cosine()), 2000, {.decay = Decay::kLinear}).schedule, kTotal, kTotal), 3e-4);
  EXPECT_EQ(Rate(*Made(Planned(Constant()), 2000, {.decay = Decay::kLinear}).schedule, kTotal, kTotal), 0);
  const WhatIf longer{.total_steps = 8000, .decay = Decay::kLinear};
  EXPECT_EQ(Rate(*Made(Planned(Cosine()), kTotal, longer).schedule, 8000, 8000), 0)
      << "it is at the plan's end already";
}

TEST(WhatIfTest, DecayNoneHoldsThePresentRate) {
  const WhatIfPlan made = Made(Planned(Cosine()), 2000, {.total_steps = 6000, .decay = Decay::kNone});
  EXPECT_DOUBLE_EQ(Rate(*made.schedule, 6000, 6000), Rate(Cosine(), kTotal, 2000));
}

TEST(WhatIfTest, AWholeScheduleTakesOverFromTheNextStep) {
  const WhatIfPlan made = Made(Planned(Constant()), 2000, {.schedule = Cosine()});
  EXPECT_DOUBLE_EQ(Rate(*made.schedule, kTotal, 2000), kPeak);
  for (double step = 2001; step <= kTotal; ++step) {
    ASSERT_NEAR(Rate(*made.schedule, kTotal, step), Rate(Cosine(), kTotal, step), 1e-4 * kPeak) << step;
  }
}

TEST(WhatIfTest, OfARunWithoutAKnownScheduleAWholeOneIsTakenForAllOfIt) {
  const RatePlan unknown{.total_steps = kTotal};
  EXPECT_EQ(Made(unknown, 2000, {.schedule = Cosine()}).schedule, Cosine());
  EXPECT_FALSE(Made(unknown, 2000, {.total_steps = 8000}).schedule.has_value());
  const absl::Status status = MakeWhatIfPlan(unknown, 2000, {.decay = Decay::kLinear}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the present rate is not known"));
}

TEST(WhatIfTest, RatesThatWereLoggedSoFarAreEnoughToDecayFrom) {
  const RatePlan logged{.total_steps = kTotal, .so_far = ScheduleSpec{.knot_steps = {1, 100}, .knot_lrs = {0, 2e-3}}};
  const WhatIfPlan made = Made(logged, 2000, {.decay = Decay::kLinear});
  EXPECT_NEAR(Rate(*made.schedule, kTotal, 3000), 1e-3, 1e-12);
  EXPECT_EQ(made.words, "as logged to step 2000, then linear from 0.002 to 0");
  EXPECT_FALSE(Made(logged, 2000, {.total_steps = 8000}).schedule.has_value()) << "the rest is as unknown as before";
}

TEST(WhatIfTest, ADeclarationOfVeryManyKnotsIsThinnedInThePast) {
  ScheduleSpec many;
  for (Step step = 0; step < 4096; ++step) {
    many.knot_steps.push_back(step);
    many.knot_lrs.push_back(kPeak * (2 - static_cast<double>(step) / 4096));
  }
  const WhatIfPlan made = Made({.total_steps = 5000, .schedule = many}, 4500, {.decay = Decay::kCosine});
  EXPECT_LE(made.schedule->knot_steps.size(), 4096u);
  EXPECT_NEAR(Rate(*made.schedule, 5000, 1001), many.knot_lrs[1001], 1e-12);
}

TEST(WhatIfTest, WhateverIsAskedOfWhateverPlanIsRefusedOrKeepsThePast) {
  uint64_t state = 7;
  const auto next = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  const auto share = [&next] { return static_cast<double>(next(1001)) / 1000; };
  int made_count = 0;
  for (int k = 0; k < 4000; ++k) {
    const Step total = static_cast<Step>(1 + next(5000)), newest = static_cast<Step>(next(6000));
    ScheduleSpec spec{.peak_lr = std::pow(10, -6 * share()), .warmup_steps = static_cast<Step>(next(300))};
    spec.final_lr = spec.peak_lr * share();
    spec.decay = static_cast<Decay>(next(5));
    spec.decay_start_step = static_cast<Step>(next(5000));
    if (!CheckSchedule(spec, total).ok()) continue;
    WhatIf what_if;
    if (next(2) == 0) what_if.total_steps = static_cast<Step>(next(9000));
    if (next(2) == 0) what_if.decay = static_cast<Decay>(next(5));
    if (next(3) == 0) what_if.decay_start_step = static_cast<Step>(next(9000));
    if (next(3) == 0) what_if.final_lr = spec.peak_lr * share();
    if (next(8) == 0) what_if.schedule = ScheduleSpec{.peak_lr = spec.peak_lr * share(), .warmup_steps = 10};
    const absl::StatusOr<WhatIfPlan> made = MakeWhatIfPlan({.total_steps = total, .schedule = spec}, newest, what_if);
    if (!made.ok()) {
      EXPECT_THAT(std::string(made.status().message()), HasSubstr(":"));
      continue;
    }
    ++made_count;
    ASSERT_TRUE(CheckSchedule(*made->schedule, made->total_steps).ok())
        << CheckSchedule(*made->schedule, made->total_steps);
    for (int part = 0; part <= 10; ++part) {
      const double step = std::round(static_cast<double>(newest) * part / 10);
      ASSERT_NEAR(Rate(*made->schedule, made->total_steps, step), Rate(spec, total, step), 0.02 * spec.peak_lr)
          << "step " << step << " of " << newest << ": " << made->words;
    }
  }
  EXPECT_GT(made_count, 500);
}

TEST(WhatIfTest, MistakesAreNamedWithTheirFieldAndWhatToDo) {
  const RatePlan plan = Planned(Cosine());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Refusal(plan, 2000, {.total_steps = 1000}),
              HasSubstr("total_steps: 1000 lies before the newest step 2000; give a later end"));
  EXPECT_THAT(Refusal(plan, 2000, {.total_steps = 0}), HasSubstr("total_steps: 0 is outside 1 to 2^53"));
  EXPECT_THAT(Refusal({.schedule = Constant()}, 2000, {.decay = Decay::kLinear}), HasSubstr("total_steps: the run"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay = Decay::kLinear, .decay_start_step = 1000}),
              HasSubstr("decay_start_step: 1000 lies before the newest step 2000"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay = Decay::kLinear, .decay_start_step = kTotal}),
              HasSubstr("decay_start_step: 4000 is not before the end at step 4000"));
  EXPECT_THAT(Refusal(plan, kTotal, {.decay = Decay::kLinear}),
              HasSubstr("decay: the run is at its end, step 4000 of 4000; give a later total_steps"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay = Decay::kLinear, .final_lr = 2.9e-3}),
              HasSubstr("final_lr: 0.0029 is outside 0 to the present rate 0.001"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay = Decay::kLinear, .final_lr = nan}), HasSubstr("final_lr: nan"));
  EXPECT_THAT(Refusal(Planned(Constant()), 2000, {.decay = Decay::kExponential}), HasSubstr("final_lr: 0 cannot be"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay = Decay::kNone, .final_lr = 1e-4}), HasSubstr("final_lr: has no meaning"));
  EXPECT_THAT(Refusal(plan, 2000, {.decay_start_step = 3000}), HasSubstr("decay_start_step: 3000 without a decay"));
  EXPECT_THAT(Refusal(plan, 2000, {.final_lr = 0}), HasSubstr("final_lr: 0 without a decay"));
  EXPECT_THAT(Refusal(plan, 2000, {.schedule = Constant(), .decay = Decay::kNone}), HasSubstr("decay: stands beside"));
  EXPECT_THAT(Refusal(plan, 2000, {.schedule = ScheduleSpec{}}), HasSubstr("schedule.peak_lr: 0 is no peak rate"));
  EXPECT_THAT(Refusal(plan, 2000, {.schedule = ScheduleSpec{.peak_lr = 1}}),
              HasSubstr("schedule: reaches a rate of 1, above the 0.003 that the run has had"));
}

TEST(WhatIfTest, ARateOfZeroHasNothingLeftToDecay) {
  const RatePlan plan = Planned({.peak_lr = 1, .decay = Decay::kLinear});
  const absl::Status status = MakeWhatIfPlan(plan, kTotal, {.total_steps = 8000, .decay = Decay::kLinear}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the rate is 0 at step 4000 already"));
}

}  // namespace
}  // namespace curvecast
