#include "core/schedule/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/check.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr size_t kMaxKnots = 4096;
// Pieces of a curved decay. Each law below places its pieces so that a straight line misses the formula by at most
// 0.6 / kPieces^2 of the peak (4e-5; the header promises 1e-4).
constexpr int kPieces = 128;

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

absl::Status CheckKnots(const ScheduleSpec& spec) {
  const size_t n = spec.knot_steps.size();
  if (n != spec.knot_lrs.size()) {
    return Invalid(
        fmt::format("knots.lr: {} rates for {} steps; give one rate for each step", spec.knot_lrs.size(), n));
  }
  if (n > kMaxKnots) return Invalid(fmt::format("knots.step: {} knots; give at most {}", n, kMaxKnots));
  bool any = false;
  for (size_t i = 0; i < n; ++i) {
    const Step step = spec.knot_steps[i];
    const double lr = spec.knot_lrs[i];
    if (step < 0 || step > kMaxStep) {
      return Invalid(fmt::format("knots.step[{}]: {} is outside 0 to 2^53; give the optimizer step", i, step));
    }
    if (i > 0 && step <= spec.knot_steps[i - 1]) {
      return Invalid(fmt::format("knots.step[{}]: {} does not exceed the {} before it; give strictly increasing steps",
                                 i, step, spec.knot_steps[i - 1]));
    }
    if (!std::isfinite(lr) || lr < 0) {
      return Invalid(fmt::format("knots.lr[{}]: {} is no learning rate; give a finite number >= 0", i, lr));
    }
    any = any || lr > 0;
  }
  if (!any) return Invalid("knots.lr: every rate is 0; give at least one rate > 0");
  return absl::OkStatus();
}

Step DecayStart(const ScheduleSpec& spec) { return std::max(spec.warmup_steps, spec.decay_start_step); }

absl::Status CheckShape(const ScheduleSpec& spec, std::optional<Step> total_steps) {
  if (!std::isfinite(spec.peak_lr) || spec.peak_lr <= 0) {
    return Invalid(fmt::format("peak_lr: {} is no peak rate; give a finite number > 0, or knots", spec.peak_lr));
  }
  if (!std::isfinite(spec.final_lr) || spec.final_lr < 0 || spec.final_lr > spec.peak_lr) {
    return Invalid(fmt::format("final_lr: {} is outside 0 to peak_lr {}; give the rate at total_steps", spec.final_lr,
                               spec.peak_lr));
  }
  if (spec.warmup_steps < 0 || spec.warmup_steps > kMaxStep) {
    return Invalid(fmt::format("warmup_steps: {} is outside 0 to 2^53; give 0 for none", spec.warmup_steps));
  }
  if (spec.decay_start_step < 0 || spec.decay_start_step > kMaxStep) {
    return Invalid(fmt::format("decay_start_step: {} is outside 0 to 2^53; give 0 to decay right after warm-up",
                               spec.decay_start_step));
  }
  if (spec.decay == Decay::kNone) return absl::OkStatus();
  if (spec.decay == Decay::kExponential && spec.final_lr <= 0) {
    return Invalid("final_lr: 0 cannot be reached by an EXPONENTIAL decay; give a rate > 0");
  }
  if (!total_steps.has_value()) {
    return Invalid("decay: a rate that decays needs total_steps to end at; give total_steps, or knots");
  }
  if (DecayStart(spec) >= *total_steps) {
    return Invalid(
        fmt::format("decay_start_step: the decay starts at step {} (the later of warmup_steps and "
                    "decay_start_step), not before total_steps {}; give an earlier step, or decay NONE",
                    DecayStart(spec), *total_steps));
  }
  return absl::OkStatus();
}

// Where piece k ends and the relative rate there, both as shares of the decay (0 to 1).
struct Share {
  double progress, rate;
};

// `floor` is final over peak. Pieces lie closer where the formula bends more.
Share DecayShare(Decay decay, double floor, int k) {
  const double share = static_cast<double>(k) / kPieces;
  switch (decay) {
    case Decay::kNone:
      return {share, 1};
    case Decay::kLinear:
      return {share, 1 + (floor - 1) * share};
    case Decay::kCosine:
      return {share, floor + (1 - floor) * 0.5 * (1 + std::cos(M_PI * share))};
    case Decay::kExponential: {
      const double fall = -std::log(floor);
      if (fall < 1e-9) return {share, 1 + (floor - 1) * share};
      const double progress = k == kPieces ? 1 : -2 / fall * std::log1p(share * std::expm1(-fall / 2));
      return {progress, std::exp(-fall * progress)};
    }
    case Decay::kOneMinusSqrt:
      return {share * share * share * share, 1 + (floor - 1) * share * share};
  }
  CURVECAST_CHECK(false);
}

using Knots = std::vector<LrSchedule::Knot>;

// A knot that would not move on in steps (a piece shorter than a double can tell) is left out.
void Append(Knots& knots, double step, double rate) {
  if (knots.empty() || step > knots.back().step) knots.push_back({step, std::clamp(rate, 0.0, 1.0), 0});
}

Knots ShapeKnots(const ScheduleSpec& spec, std::optional<Step> total_steps) {
  Knots knots;
  if (spec.warmup_steps > 0) Append(knots, 0, 0);
  Append(knots, static_cast<double>(spec.warmup_steps), 1);
  if (spec.decay == Decay::kNone) return knots;
  const double start = static_cast<double>(DecayStart(spec)), end = static_cast<double>(*total_steps);
  const double floor = spec.final_lr / spec.peak_lr;
  Append(knots, start, 1);
  const int stride = spec.decay == Decay::kLinear ? kPieces : 1;
  for (int k = stride; k <= kPieces; k += stride) {
    const Share share = DecayShare(spec.decay, floor, k);
    Append(knots, k == kPieces ? end : start + (end - start) * share.progress, k == kPieces ? floor : share.rate);
  }
  return knots;
}

Knots GivenKnots(const ScheduleSpec& spec, double peak) {
  Knots knots;
  for (size_t i = 0; i < spec.knot_steps.size(); ++i) {
    Append(knots, static_cast<double>(spec.knot_steps[i]), spec.knot_lrs[i] / peak);
  }
  return knots;
}

void SumUp(Knots& knots) {
  knots[0].summed = knots[0].rate * knots[0].step;
  for (size_t i = 1; i < knots.size(); ++i) {
    const double width = knots[i].step - knots[i - 1].step;
    knots[i].summed = knots[i - 1].summed + 0.5 * (knots[i].rate + knots[i - 1].rate) * width;
  }
}

}  // namespace

std::string_view NameOf(Decay decay) {
  switch (decay) {
    case Decay::kNone:
      return "none";
    case Decay::kCosine:
      return "cosine";
    case Decay::kLinear:
      return "linear";
    case Decay::kExponential:
      return "exponential";
    case Decay::kOneMinusSqrt:
      return "one-minus-sqrt";
  }
  CURVECAST_CHECK(false);
}

absl::Status CheckSchedule(const ScheduleSpec& spec, std::optional<Step> total_steps) {
  return spec.knot_steps.empty() && spec.knot_lrs.empty() ? CheckShape(spec, total_steps) : CheckKnots(spec);
}

absl::StatusOr<LrSchedule> LrSchedule::Create(const ScheduleSpec& spec, std::optional<Step> total_steps) {
  if (absl::Status status = CheckSchedule(spec, total_steps); !status.ok()) return status;
  LrSchedule schedule;
  if (spec.knot_steps.empty()) {
    schedule.peak_lr_ = spec.peak_lr;
    schedule.knots_ = ShapeKnots(spec, total_steps);
  } else {
    schedule.peak_lr_ = *std::max_element(spec.knot_lrs.begin(), spec.knot_lrs.end());
    schedule.knots_ = GivenKnots(spec, schedule.peak_lr_);
  }
  SumUp(schedule.knots_);
  const auto peak =
      std::find_if(schedule.knots_.begin(), schedule.knots_.end(), [](const Knot& k) { return k.rate >= 1; });
  CURVECAST_CHECK(peak != schedule.knots_.end());
  // A rate held before the first knot is at its peak from the start.
  schedule.warmup_end_ = peak == schedule.knots_.begin() ? 0 : peak->step;
  schedule.constant_ = std::all_of(peak, schedule.knots_.end(), [](const Knot& k) { return k.rate >= 1; });
  return schedule;
}

LrSchedule LrSchedule::Constant() {
  LrSchedule schedule;
  schedule.peak_lr_ = 1;
  schedule.knots_ = {{0, 1, 0}};
  schedule.constant_ = true;
  return schedule;
}

double LrSchedule::RelativeRate(double step) const {
  const auto next =
      std::upper_bound(knots_.begin(), knots_.end(), step, [](double s, const Knot& k) { return s < k.step; });
  if (next == knots_.begin()) return next->rate;
  const Knot& from = *std::prev(next);
  if (next == knots_.end()) return from.rate;
  return from.rate + (next->rate - from.rate) * ((step - from.step) / (next->step - from.step));
}

double LrSchedule::SummedRate(double step) const {
  if (!(step > 0)) return 0;
  const auto next =
      std::upper_bound(knots_.begin(), knots_.end(), step, [](double s, const Knot& k) { return s < k.step; });
  if (next == knots_.begin()) return next->rate * step;
  const Knot& from = *std::prev(next);
  return from.summed + 0.5 * (from.rate + RelativeRate(step)) * (step - from.step);
}

}  // namespace curvecast
