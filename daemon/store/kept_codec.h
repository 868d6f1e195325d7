#pragma once

#include "absl/status/statusor.h"
#include "core/engine/event.h"
#include "curvecast/v1/journal.pb.h"

// Between CurveKept of core and of journal.proto.
namespace curvecast {

void Fill(const CurveKept& kept, v1::CurveKept& proto);

// DATA_LOSS, with the field, if no run can have been kept so.
absl::StatusOr<CurveKept> Read(const v1::CurveKept& proto);

}  // namespace curvecast
