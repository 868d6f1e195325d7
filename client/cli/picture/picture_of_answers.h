#pragma once

#include <cstdint>

#include "client/cli/picture/run_picture.h"
#include "curvecast/v1/query.pb.h"

namespace curvecast {

// The picture of a run from the daemon's answers. The law's past is what its forecasts expected of their own step. If
// the curve is not of the objective, nothing that is forecast is drawn. Pure: the time, which says what silences are
// still in force, comes in.
RunPicture PictureOf(const v1::GetRunResponse& run, const v1::GetCurveResponse& curve, int64_t now_unix_seconds);

}  // namespace curvecast
