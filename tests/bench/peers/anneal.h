#pragma once

#include <vector>

#include "core/schedule/lr_schedule.h"

namespace curvecast::peers {

// A schedule's path from the end of warm-up to `total` as at most kMostDrops drops (or rises) of the relative rate, and
// what the two laws of annealing make of them. Warm-up is no drop, as in both papers.
class Anneal {
 public:
  static constexpr int kMostDrops = 64;

  Anneal(const LrSchedule& schedule, double total);

  double Share(double step) const;  // S(step) / S(total), 0 to 1.

  // Sum over drops before `step` of fall x [1 - (1 + c rate^-gamma dS)^-beta], dS in shares of S(total).
  double MultiPower(double step, double c, double beta, double gamma) const;
  // Sum over drops before `step` of fall x (1 - lambda^dt) / (1 - lambda) over S(total), dt in steps.
  double Momentum(double step, double lambda) const;

 private:
  struct Drop {
    double step, share, fall, rate;  // The rate is the one after the drop, at least kLeastRate.
  };

  const LrSchedule& schedule_;  // Outlives this.
  double summed_ = 0;           // S(total).
  std::vector<Drop> drops_;     // In order of step.
};

}  // namespace curvecast::peers
