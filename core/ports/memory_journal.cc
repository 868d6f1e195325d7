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
    numbers_.push_back(++appended_);
    if (auto* made = std::get_if<ForecastMade>(&events_.back().body)) made->forecast.path.clear();
  }
  if (durable_) Sync();
  return absl::OkStatus();
}

absl::Status MemoryJournal::Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) {
  for (size_t i = static_cast<size_t>(after); i < events_.size(); ++i) {
    if (absl::Status status = visit(events_[i]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<JournalMark> MemoryJournal::Newest() {
  if (events_.empty()) return JournalMark{};
  return JournalMark{static_cast<int64_t>(events_.size()), numbers_.back()};
}

bool MemoryJournal::Has(const JournalMark& mark) {
  if (mark.id == 0) return mark == JournalMark{};
  const auto at = static_cast<size_t>(mark.id);
  return mark.id > 0 && at <= numbers_.size() && numbers_[at - 1] == mark.checksum;
}

void MemoryJournal::FailAppend(size_t n, absl::Status error) {
  CURVECAST_CHECK(n >= 1 && !error.ok());
  fault_ = Fault{n, std::move(error)};
}

}  // namespace curvecast
