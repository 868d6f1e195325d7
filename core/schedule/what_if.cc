#include "core/schedule/what_if.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/schedule/knot_list.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr double kSameRate = 1e-9;      // Relative: two rates that differ by rounding alone.
constexpr size_t kMaxPastKnots = 3840;  // Leaves room for the rest of the run in what a schedule may hold (4096).

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

double RateAt(const LrSchedule& schedule, double step) { return schedule.RelativeRate(step) * schedule.peak_lr(); }

// The planned rates up to `newest`, both ends included. The curved parts are sampled at whole steps.
KnotList Past(const LrSchedule& planned, Step newest) {
  KnotList knots;
  const double now = static_cast<double>(newest);
  for (const LrSchedule::Knot& k : planned.knots()) {
    const double step = std::round(k.step);
    if (step < now) knots.Add(step, RateAt(planned, step));
  }
  knots.Add(now, RateAt(planned, now));
  knots.Thin(kMaxPastKnots);
  return knots;
}

const char* Before(const RatePlan& plan) { return plan.schedule ? "as planned" : "as logged"; }

absl::Status CheckParts(const RatePlan& plan, Step newest, const WhatIf& what_if) {
  if (what_if.schedule && what_if.decay) return Invalid("decay: stands beside schedule; give one of them");
  if (!what_if.decay && what_if.decay_start_step) {
    return Invalid(fmt::format("decay_start_step: {} without a decay; give decay too", *what_if.decay_start_step));
  }
  if (!what_if.decay && what_if.final_lr) {
    return Invalid(fmt::format("final_lr: {} without a decay; give decay too", *what_if.final_lr));
  }
  const std::optional<Step> total = what_if.total_steps ? what_if.total_steps : plan.total_steps;
  if (!total) return Invalid("total_steps: the run declares none; give the step at which it would end");
  if (*total < 1 || *total > kMaxStep) {
    return Invalid(
        fmt::format("total_steps: {} is outside 1 to 2^53; give the step at which the run would end", *total));
  }
  if (what_if.total_steps && *total < newest) {
    return Invalid(fmt::format("total_steps: {} lies before the newest step {}; give a later end", *total, newest));
  }
  return absl::OkStatus();
}

absl::Status CheckDecay(const WhatIf& what_if, Step newest, Step start, Step total, double present) {
  if (*what_if.decay == Decay::kNone && (what_if.decay_start_step || what_if.final_lr)) {
    return Invalid(fmt::format("{}: has no meaning with decay NONE, which holds the present rate; leave it out",
                               what_if.decay_start_step ? "decay_start_step" : "final_lr"));
  }
  if (start < newest) {
    return Invalid(
        fmt::format("decay_start_step: {} lies before the newest step {}, and what was trained stays as it "
                    "was; give a later step, or leave it out to decay from the newest",
                    start, newest));
  }
  if (newest >= total) {
    return Invalid(fmt::format("decay: the run is at its end, step {} of {}; give a later total_steps", newest, total));
  }
  if (start >= total) {
    return Invalid(
        fmt::format("decay_start_step: {} is not before the end at step {}; give an earlier step, or a later "
                    "total_steps",
                    start, total));
  }
  if (!(present > 0)) {
    return absl::FailedPreconditionError(
        fmt::format("decay: the rate is 0 at step {} already; give a schedule to say how it goes on", newest));
  }
  const double final_lr = what_if.final_lr.value_or(0);
  if (!std::isfinite(final_lr) || final_lr < 0 || final_lr > present * (1 + kSameRate)) {
    return Invalid(fmt::format("final_lr: {} is outside 0 to the present rate {:.4g}; give the rate to end at",
                               final_lr, present));
  }
  return absl::OkStatus();
}

double FinalRate(const RatePlan& plan, const LrSchedule& planned, double present) {
  if (!plan.schedule || !plan.total_steps) return 0;
  const double last = RateAt(planned, static_cast<double>(*plan.total_steps));
  return last < present * (1 - kSameRate) ? last : 0;
}

// The schedule that the short form stands for, and its words.
absl::StatusOr<std::pair<ScheduleSpec, std::string>> ShortForm(const RatePlan& plan, const LrSchedule& planned,
                                                               Step newest, Step total, const WhatIf& what_if) {
  const double present = RateAt(planned, static_cast<double>(newest));
  const Step start = what_if.decay_start_step.value_or(newest);
  if (absl::Status status = CheckDecay(what_if, newest, start, total, present); !status.ok()) return status;
  if (*what_if.decay == Decay::kNone) {
    return std::pair(ScheduleSpec{.peak_lr = present}, fmt::format("then held at {:.4g}", present));
  }
  const double final_lr = std::min(what_if.final_lr.value_or(FinalRate(plan, planned, present)), present);
  const ScheduleSpec spec{.peak_lr = present, .final_lr = final_lr, .decay = *what_if.decay, .decay_start_step = start};
  const std::string hold = start > newest ? fmt::format("held to step {}, ", start) : "";
  return std::pair(spec,
                   fmt::format("{}then {} from {:.4g} to {:.4g}", hold, NameOf(*what_if.decay), present, final_lr));
}

// From `newest` on, `next` takes over. Fails if it goes above what the run has had.
absl::StatusOr<ScheduleSpec> Join(const LrSchedule& planned, Step newest, const LrSchedule& next, Step total) {
  const double now = static_cast<double>(newest), present = RateAt(planned, now), after = RateAt(next, now);
  double highest = RateAt(next, now + 1), highest_so_far = present;
  KnotList knots = Past(planned, newest);
  if (std::fabs(after - present) > kSameRate * present) knots.Add(now + 1, RateAt(next, now + 1));
  for (const LrSchedule::Knot& k : next.knots()) {
    const double step = std::round(k.step);
    if (step <= now) continue;
    knots.Add(step, RateAt(next, step));
    if (step <= static_cast<double>(total)) highest = std::max(highest, RateAt(next, step));
  }
  for (const LrSchedule::Knot& k : planned.knots()) {
    if (k.step <= now) highest_so_far = std::max(highest_so_far, k.rate * planned.peak_lr());
  }
  if (planned.warmup_end() <= now && newest < total && highest > highest_so_far * (1 + kSameRate)) {
    return Invalid(
        fmt::format("schedule: reaches a rate of {:.4g}, above the {:.4g} that the run has had, and its curve "
                    "says nothing of such rates; give rates up to that",
                    highest, highest_so_far));
  }
  return std::move(knots).Take();
}

ScheduleSpec Stretch(const LrSchedule& planned, Step planned_total, Step newest, Step total) {
  const double now = static_cast<double>(newest), end = static_cast<double>(total);
  const double rest = static_cast<double>(planned_total) - now;
  KnotList knots = Past(planned, newest);
  if (rest <= 0 || total <= newest) return std::move(knots).Take();
  const double factor = (end - now) / rest;
  for (const LrSchedule::Knot& k : planned.knots()) {
    const double step = std::round(now + (k.step - now) * factor);
    if (step > now && step < end) knots.Add(step, RateAt(planned, now + (step - now) / factor));
  }
  knots.Add(end, RateAt(planned, static_cast<double>(planned_total)));
  return std::move(knots).Take();
}

std::string StretchWords(const LrSchedule& planned, Step planned_total, Step newest, Step total) {
  if (planned.constant()) return fmt::format("held at {:.4g} to step {}", planned.peak_lr(), total);
  if (newest >= planned_total) {
    const double last = RateAt(planned, static_cast<double>(newest));
    return fmt::format("as planned to step {}, then held at {:.4g} to step {}", newest, last, total);
  }
  const char* how = total < planned_total ? "drawn together" : "stretched";
  return fmt::format("as planned to step {}, the rest {} to step {}", newest, how, total);
}

absl::StatusOr<WhatIfPlan> WithSchedule(const RatePlan& plan, const std::optional<ScheduleSpec>& known, Step newest,
                                        Step total, const WhatIf& what_if) {
  const absl::StatusOr<LrSchedule> next = LrSchedule::Create(*what_if.schedule, total);
  if (!next.ok()) return Invalid(fmt::format("schedule.{}", std::string(next.status().message())));
  if (!known) {
    return WhatIfPlan{
        .total_steps = total, .schedule = what_if.schedule, .words = "the schedule given, from the first step on"};
  }
  const absl::StatusOr<LrSchedule> planned = LrSchedule::Create(*known, plan.total_steps);
  if (!planned.ok()) return planned.status();
  absl::StatusOr<ScheduleSpec> joined = Join(*planned, newest, *next, total);
  if (!joined.ok()) return joined.status();
  return WhatIfPlan{.total_steps = total,
                    .schedule = *std::move(joined),
                    .words = fmt::format("{} to step {}, then the schedule given", Before(plan), newest)};
}

absl::StatusOr<WhatIfPlan> WithDecay(const RatePlan& plan, const std::optional<ScheduleSpec>& known, Step newest,
                                     Step total, const WhatIf& what_if) {
  if (!known) {
    return absl::FailedPreconditionError(
        "decay: the present rate is not known, since the run declares no schedule and logs no learning rate that can "
        "be read; give a whole schedule, or declare one");
  }
  const absl::StatusOr<LrSchedule> planned = LrSchedule::Create(*known, plan.total_steps);
  if (!planned.ok()) return planned.status();
  auto form = ShortForm(plan, *planned, newest, total, what_if);
  if (!form.ok()) return form.status();
  const absl::StatusOr<LrSchedule> next = LrSchedule::Create(form->first, total);
  if (!next.ok()) return next.status();
  absl::StatusOr<ScheduleSpec> joined = Join(*planned, newest, *next, total);
  if (!joined.ok()) return joined.status();
  return WhatIfPlan{.total_steps = total,
                    .schedule = *std::move(joined),
                    .words = fmt::format("{} to step {}, {}", Before(plan), newest, form->second)};
}

}  // namespace

absl::StatusOr<WhatIfPlan> MakeWhatIfPlan(const RatePlan& plan, Step newest, const WhatIf& what_if) {
  if (absl::Status status = CheckParts(plan, newest, what_if); !status.ok()) return status;
  const Step total = what_if.total_steps.value_or(plan.total_steps.value_or(0));
  const std::optional<ScheduleSpec>& known = plan.schedule ? plan.schedule : plan.so_far;
  if (what_if.schedule) return WithSchedule(plan, known, newest, total, what_if);
  if (what_if.decay) return WithDecay(plan, known, newest, total, what_if);
  if (!plan.schedule) return WhatIfPlan{.total_steps = total, .schedule = std::nullopt, .words = "no schedule known"};
  const absl::StatusOr<LrSchedule> planned = LrSchedule::Create(*plan.schedule, plan.total_steps);
  if (!planned.ok()) return planned.status();
  const Step planned_total = plan.total_steps.value_or(total);
  return WhatIfPlan{.total_steps = total,
                    .schedule = Stretch(*planned, planned_total, newest, total),
                    .words = StretchWords(*planned, planned_total, newest, total)};
}

}  // namespace curvecast
