#pragma once

#include <string>
#include <vector>

namespace curvecast {

// An axis of a picture, in the data's unit.
struct Axis {
  double low = 0;
  double high = 1;           // > low.
  bool logarithmic = false;  // Then low > 0.

  // 0 at `low`, 1 at `high`; outside of that what is outside. A value that has no place on a logarithmic axis is far
  // below it.
  double Share(double value) const;
};

struct Tick {
  double value = 0;
  std::string text;
};

// Round numbers within the axis, about `count` of them, at least two where the axis allows.
std::vector<Tick> ValueTicks(const Axis& axis, int count);
// Likewise of steps: whole numbers, from ten thousand on in thousands ("20k") or millions ("1.5M").
std::vector<Tick> StepTicks(const Axis& axis, int count);

}  // namespace curvecast
