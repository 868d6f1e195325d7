#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/engine/event.h"

namespace curvecast {

// The one record of what happened. Used by one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;

  // Appends the events in order, all or none. When it returns OK they survive the death of the process and of the
  // machine's power. When it fails none of them is there, now or after a restart, and the journal can be tried again:
  // RESOURCE_EXHAUSTED for a full disk, DATA_LOSS for damage, UNAVAILABLE otherwise; the message says what to do.
  virtual absl::Status Append(absl::Span<const Event> events) = 0;

  // Calls `visit` with every event ever appended, in order. Stops at the first error and returns it; DATA_LOSS, with
  // the place named, if a record cannot be read.
  virtual absl::Status Replay(absl::FunctionRef<absl::Status(Event)> visit) = 0;
};

}  // namespace curvecast
