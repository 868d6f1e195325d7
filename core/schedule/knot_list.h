#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "core/schedule/lr_schedule.h"

namespace curvecast {

// Knots for a ScheduleSpec as they are found: whole steps, strictly increasing.
class KnotList {
 public:
  // A step that does not exceed the last, once rounded, is left out.
  void Add(double step, double lr) {
    const Step whole = static_cast<Step>(std::llround(step));
    if (!steps_.empty() && whole <= steps_.back()) return;
    steps_.push_back(whole);
    lrs_.push_back(lr);
  }

  // Leaves out every other knot but the ends until at most `most` (>= 2) are left.
  void Thin(size_t most) {
    while (steps_.size() > most) {
      size_t kept = 0;
      for (size_t i = 0; i < steps_.size(); ++i) {
        if (i % 2 == 1 && i + 1 < steps_.size()) continue;
        steps_[kept] = steps_[i];
        lrs_[kept++] = lrs_[i];
      }
      steps_.resize(kept);
      lrs_.resize(kept);
    }
  }

  ScheduleSpec Take() && { return {.knot_steps = std::move(steps_), .knot_lrs = std::move(lrs_)}; }

 private:
  std::vector<Step> steps_;
  std::vector<double> lrs_;
};

}  // namespace curvecast
