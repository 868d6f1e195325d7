#pragma once

#include <string>
#include <vector>

#include "core/family/step_law.h"

namespace curvecast {

// One point of a family's typical curve.
struct FamilyPoint {
  size_t family = 0;  // Index into FamilyCurves::families.
  double log_parameters = 0, log_steps = 0, log_loss = 0;
  double weight = 0;  // One over the family's points, times their mean number.
};

// The runs of one family and one size are one curve: in each stretch of log S, the medians of their points.
struct FamilyCurves {
  struct Family {
    std::string name;
    double parameters = 0;
    size_t size = 0;  // Which distinct N, from 0, ascending.
    size_t runs = 0;
    double span = 1;  // Largest over smallest S.
  };
  std::vector<Family> families;  // By name, then size.
  std::vector<FamilyPoint> points;
  size_t sizes = 0;
};

// The curves have been checked: finite, above 0.
inline constexpr size_t kMostStretches = 24;
FamilyCurves MakeFamilyCurves(const std::vector<StepCurve>& curves, StepCount count);

}  // namespace curvecast
