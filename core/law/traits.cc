#include "core/law/traits.h"

#include <cmath>

namespace curvecast {
namespace {

constexpr double kFallen = 0.99;  // Of the peak: below it the rate has left it.
constexpr int kPieces = 128;

// The first of kPieces evenly spaced places after warm-up at which the rate has left its peak, as a share; 1 if none.
double DecayStart(const RunClock& clock) {
  const double from = clock.warmup_end(), span = clock.end() - from;
  for (int k = 0; k < kPieces; ++k) {
    const double part = static_cast<double>(k) / kPieces;
    if (clock.Rate(from + part * span) < kFallen) return part;
  }
  return 1;
}

}  // namespace

Traits TraitsOf(const Plan& plan, const RunClock& clock) {
  Traits traits;
  const auto set = [&traits](size_t i, double value) {
    if (!std::isfinite(value)) return;
    traits.values[i] = value;
    traits.known.set(i);
  };
  const bool known_rate = clock.kind() == RateKind::kKnown;
  if (plan.tokens_per_step.has_value()) {
    set(1, std::log(clock.end()));
    set(Traits::kTokensPerStep, std::log(*plan.tokens_per_step));
  }
  if (known_rate && plan.schedule->peak_lr() < 0.5) set(0, std::log(plan.schedule->peak_lr()));
  if (plan.parameters.has_value()) set(Traits::kParameters, std::log(*plan.parameters));
  if (!known_rate) return traits;
  const double end = clock.Rate(clock.end()), start = DecayStart(clock);
  const double quarter = clock.warmup_end() + (clock.end() - clock.warmup_end()) * (start + 0.25 * (1 - start));
  set(4, start);
  set(5, end < kFallen ? 4 * (clock.Rate(quarter) - end) / (1 - end) : 4);
  set(6, clock.warmup_end() / clock.end());
  set(7, 2 * std::sqrt(end));
  return traits;
}

}  // namespace curvecast
