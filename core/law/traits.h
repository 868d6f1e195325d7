#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string_view>

#include "core/law/run_clock.h"

namespace curvecast {

// What a plan says of the run that bears on its curve, as numbers. A plan that does not say how much a step consumes
// tells nothing of its absolute steps: they are then missing, and the forecast does not depend on the unit of steps. A
// peak rate of .5 or more is a multiplier and tells nothing either.
inline constexpr size_t kTraits = 8;
struct Traits {
  // Names in the prior's text, in order.
  static constexpr std::array<std::string_view, kTraits> kNames = {
      "log_peak_rate", "log_steps", "log_tokens_per_step", "log_parameters",
      "decay_start",  // Where after warm-up the rate leaves its peak, 0 to 1.
      "decay_bow",    // 4 x the rate over its fall a quarter into the decay: 3 for a line, more for a cosine.
      "warmup",       // Share of the steps.
      "final_rate"};  // 2 x the square root of e(T).
  static constexpr size_t kTokensPerStep = 2, kParameters = 3;

  std::array<double, kTraits> values = {};
  std::bitset<kTraits> known;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(values, known);
  }
};

Traits TraitsOf(const Plan& plan, const RunClock& clock);

}  // namespace curvecast
