#pragma once

#include "client/cli/picture/axis.h"
#include "client/cli/picture/run_picture.h"

namespace curvecast {

// The steps that the picture covers: to the end where a forecast goes there, else to the newest step.
Axis StepAxis(const RunPicture& picture);

// The values that it covers, robust: the first steps of a run and a spike of 1e19 do not set the scale, and lie
// outside. Logarithmic where everything is positive and the curve, past its first steps, goes through a factor of six.
Axis ValueAxis(const RunPicture& picture);

}  // namespace curvecast
