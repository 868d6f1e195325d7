#pragma once

#include <string>

#include "client/cli/run_view.h"
#include "curvecast/v1/query.pb.h"

namespace curvecast {

// Where a run ends as planned and, if that was asked, under another plan: a table of both, then the curve with what is
// expected at every future step under the plan that was asked about. Pure.
std::string ForecastPage(const v1::RunSummary& run, const v1::ForecastRunResponse& answer,
                         const v1::GetCurveResponse& curve, const ViewStyle& style);

}  // namespace curvecast
