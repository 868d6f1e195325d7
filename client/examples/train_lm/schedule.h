#pragma once

#include <cstdint>

#include "client/cpp/reporter.h"

namespace curvecast::train_lm {

enum class Decay { kCosine, kLinear, kConstant, kWsd };

// Warm up linearly, then fall (or not) to a twentieth of the peak. WSD (warm up, stable, decay) holds the peak for four
// fifths of the run and falls by one minus the square root (Hägele et al. 2024).
struct RateSchedule {
  double peak = 0;
  int64_t warmup_steps = 0;
  int64_t total_steps = 0;
  Decay decay = Decay::kCosine;

  double final_rate() const;
  int64_t decay_start() const;
  double RateAt(int64_t step) const;
  // The same in the reporter's words.
  ReportedSchedule Reported() const;
};

}  // namespace curvecast::train_lm
