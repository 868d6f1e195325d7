#pragma once

#include <functional>

#include "core/schedule/lr_schedule.h"
#include "tests/bench/peers/prefix.h"

namespace curvecast::peers {

inline constexpr Step kTotal = 20'000;

inline LrSchedule ScheduleOf(Decay decay, Step decay_start) {
  ScheduleSpec spec;
  spec.peak_lr = 1e-3;
  spec.final_lr = decay == Decay::kNone ? 0 : 1e-4;
  spec.warmup_steps = 200;
  spec.decay = decay;
  spec.decay_start_step = decay_start;
  return *LrSchedule::Create(spec, kTotal);
}

// A curve of `loss`, a point each `every` steps, up to `fraction` of kTotal.
inline Prefix PrefixOf(const std::function<double(double)>& loss, double fraction, const LrSchedule* schedule,
                       double every = 50) {
  Prefix prefix{.steps = {}, .values = {}, .total = static_cast<double>(kTotal), .schedule = schedule};
  for (double step = every; step <= fraction * prefix.total; step += every) {
    prefix.steps.push_back(step);
    prefix.values.push_back(loss(step));
  }
  return prefix;
}

}  // namespace curvecast::peers
