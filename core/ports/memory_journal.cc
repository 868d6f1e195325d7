#include "core/ports/memory_journal.h"

#include <utility>

#include "core/base/check.h"

namespace curvecast {

absl::Status MemoryJournal::Append(absl::Span<const Event> events) {
  if (fault_ && --fault_->appends_left == 0) {
    const absl::Status error = std::move(fault_->error);
    fault_.reset();
    return error;
  }
  for (const Event& event : events) {
    events_.push_back(event);
    if (auto* made = std::get_if<ForecastMade>(&events_.back().body)) made->forecast.path.clear();
  }
  if (durable_) Sync();
  return absl::OkStatus();
}

absl::Status MemoryJournal::Replay(absl::FunctionRef<absl::Status(Event)> visit) {
  for (const Event& event : events_) {
    if (absl::Status status = visit(event); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void MemoryJournal::FailAppend(size_t n, absl::Status error) {
  CURVECAST_CHECK(n >= 1 && !error.ok());
  fault_ = Fault{n, std::move(error)};
}

}  // namespace curvecast
