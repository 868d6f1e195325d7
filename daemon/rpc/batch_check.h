#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/engine/event.h"
#include "curvecast/v1/ingest.pb.h"

namespace curvecast {

inline constexpr int kMaxColumns = 1024;  // In one batch.

// From a message off the wire to an event of core, or INVALID_ARGUMENT "open.run.total_steps: what is wrong", with the
// path of the field. Pure.
absl::StatusOr<RunOpened> CheckOpen(const v1::Open& open);
absl::StatusOr<BatchAppended> CheckBatch(const v1::Batch& batch, int64_t max_points);

}  // namespace curvecast
