#pragma once

#include "client/cli/picture/frame.h"
#include "client/cli/picture/run_picture.h"
#include "client/cli/picture/svg.h"

namespace curvecast {

// What is seen and what is expected, inside of the frame, from the back to the front: superseded branches, the spread
// of bins, the forecast's band, the curve, the law. Draws within the clip path "plot".
void DrawCurves(const RunPicture& picture, const Frame& frame, SvgWriter& svg);

// What the frame does not hold: an arrow at its edge with the number for what lies above or below, a cross at its foot
// for what is not finite. Of neighbours one is marked, the farthest.
void DrawOutside(const std::vector<PicturePoint>& curve, const Frame& frame, SvgWriter& svg);

// Beside the frame, where the forecast ends: its median and its interval.
void DrawForecastEnd(const RunPicture& picture, const Frame& frame, SvgWriter& svg);

}  // namespace curvecast
