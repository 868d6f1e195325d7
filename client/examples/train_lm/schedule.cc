#include "client/examples/train_lm/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace curvecast::train_lm {

double RateSchedule::final_rate() const { return decay == Decay::kConstant ? peak : peak / 20; }

int64_t RateSchedule::decay_start() const {
  return decay == Decay::kWsd ? std::max(warmup_steps, total_steps * 4 / 5) : warmup_steps;
}

double RateSchedule::RateAt(int64_t step) const {
  if (step < warmup_steps) return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
  if (step <= decay_start()) return peak;
  const double progress =
      std::min(1.0, static_cast<double>(step - decay_start()) / static_cast<double>(total_steps - decay_start()));
  double fallen = 0;
  switch (decay) {
    case Decay::kCosine:
      fallen = (1 - std::cos(std::numbers::pi * progress)) / 2;
      break;
    case Decay::kLinear:
      fallen = progress;
      break;
    case Decay::kWsd:
      fallen = std::sqrt(progress);
      break;
    case Decay::kConstant:
      break;
  }
  return peak - (peak - final_rate()) * fallen;
}

ReportedSchedule RateSchedule::Reported() const {
  ReportedSchedule reported;
  reported.peak_lr = peak;
  reported.final_lr = final_rate();
  reported.warmup_steps = warmup_steps;
  reported.decay_start_step = decay_start();
  switch (decay) {
    case Decay::kCosine:
      reported.decay = ReportedSchedule::Decay::kCosine;
      break;
    case Decay::kLinear:
      reported.decay = ReportedSchedule::Decay::kLinear;
      break;
    case Decay::kWsd:
      reported.decay = ReportedSchedule::Decay::kOneMinusSqrt;
      break;
    case Decay::kConstant:
      reported.decay = ReportedSchedule::Decay::kNone;
      break;
  }
  return reported;
}

}  // namespace curvecast::train_lm
