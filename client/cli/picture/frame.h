#pragma once

#include "client/cli/picture/axis.h"
#include "client/cli/picture/svg.h"

namespace curvecast {

// Where the plot lies in the picture, in pixels from the upper left, and what it shows.
struct Frame {
  double left = 0, right = 0, top = 0, bottom = 0;
  Axis steps;
  Axis values;

  double X(double step) const { return left + (right - left) * steps.Share(step); }
  double Y(double value) const { return bottom - (bottom - top) * values.Share(value); }
  SvgPoint At(double step, double value) const { return {X(step), Y(value)}; }
};

}  // namespace curvecast
