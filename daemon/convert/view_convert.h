#pragma once

#include "core/curve/curve.h"
#include "core/engine/board.h"
#include "core/law/forecast.h"
#include "curvecast/v1/query.pb.h"

// From what the engine shows to the messages of query.proto, which gRPC and HTTP serve alike.
namespace curvecast {

enum class WithPath { kNo, kYes };

v1::Forecast ToProto(const Forecast& forecast, WithPath path);
v1::RunSummary ToSummary(const RunView& view, WithPath path);
v1::GetRunResponse ToGetRunResponse(const RunView& view);

}  // namespace curvecast
