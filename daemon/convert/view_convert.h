#pragma once

#include "absl/status/statusor.h"
#include "core/curve/curve.h"
#include "core/engine/board.h"
#include "core/law/forecast.h"
#include "core/schedule/what_if.h"
#include "curvecast/v1/query.pb.h"

// From what the engine shows to the messages of query.proto, which gRPC and HTTP serve alike.
namespace curvecast {

enum class WithPath { kNo, kYes };

v1::Forecast ToProto(const Forecast& forecast, WithPath path);
// `now`: a silence may have run out since the view was made.
v1::RunSummary ToSummary(const RunView& view, WithPath path, int64_t now_unix_micros);
v1::GetRunResponse ToGetRunResponse(const RunView& view, int64_t now_unix_micros);

// INVALID_ARGUMENT as ToScheduleSpec and ToDecay say it; whether it fits the run is MakeWhatIfPlan's to judge.
absl::StatusOr<WhatIf> ToWhatIf(const v1::ForecastRunRequest& request);

}  // namespace curvecast
