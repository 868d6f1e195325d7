#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "core/schedule/lr_schedule.h"

namespace curvecast {

// A bin of logged rates, over their peak. Its points spread around `step` with this standard deviation, in steps.
struct LoggedRate {
  double step, rate, spread;
};

// One decay, fitted to logged rates: level - fall * g(progress), with g from 0 at `start` to 1 at the end; for the
// exponential level * exp(-fall * progress).
struct DecayFit {
  Decay decay = Decay::kNone;
  double start = 0, level = 0, fall = 0;
  double misfit = std::numeric_limits<double>::infinity();  // Root mean square.
  double final_rate = 0, final_sd = 0;                      // At the end, and its standard error.

  double Fallen(double progress) const;                   // g; progress is held to [0, 1].
  double Fallen(const LoggedRate& at, double end) const;  // The mean of g over a bin, right to the second order.
  double Model(double fallen) const;                      // The rate where g is `fallen`.
};

// The one decay that ends at step `end` and explains `rates`, which are at their peak at `top`, visibly below it from
// `fell` on, and never rise in between. Nothing if none explains them, or if several do that would go on differently.
std::optional<DecayFit> FindDecay(const std::vector<LoggedRate>& rates, size_t top, size_t fell, double end);

}  // namespace curvecast
