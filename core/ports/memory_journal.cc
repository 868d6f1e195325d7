#include "core/ports/memory_journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace curvecast {
namespace {

// About what a store takes for it.
size_t BytesOf(const Event& event) {
  size_t bytes = 64;
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) {
    for (const Column& column : batch->columns) bytes += 16 + 11 * column.steps.size();
  }
  if (const auto* kept = std::get_if<CurveKept>(&event.body)) {
    for (const CurveKept::Series& series : kept->series) bytes += 40 + 38 * series.curve.bins().size();
  }
  return bytes;
}

}  // namespace

absl::Status MemoryJournal::TakeFault() {
  if (!fault_ || --fault_->appends_left > 0) return absl::OkStatus();
  return std::exchange(fault_, std::nullopt)->error;
}

absl::Status MemoryJournal::Append(absl::Span<const Event> events) {
  if (absl::Status status = TakeFault(); !status.ok()) return status;
  for (const Event& event : events) {
    events_.push_back(event);
    ids_.push_back(++last_id_);
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

absl::StatusOr<std::vector<StoredEvent>> MemoryJournal::Read(int64_t from_id, size_t max_bytes) {
  std::vector<StoredEvent> found;
  auto at = std::lower_bound(ids_.begin(), ids_.end(), from_id);
  for (size_t bytes = 0; at != ids_.end() && bytes < max_bytes; ++at) {
    const Event& event = events_[static_cast<size_t>(at - ids_.begin())];
    found.push_back({*at, BytesOf(event), event});
    bytes += found.back().bytes;
  }
  return found;
}

std::vector<StoredEvent> MemoryJournal::stored() const {
  std::vector<StoredEvent> all;
  for (size_t i = 0; i < ids_.size(); ++i) all.push_back({ids_[i], BytesOf(events_[i]), events_[i]});
  return all;
}

absl::Status MemoryJournal::Replace(const Replacement& replacement) {
  if (absl::Status status = TakeFault(); !status.ok()) return status;
  for (const int64_t id : replacement.ids) {
    if (std::binary_search(ids_.begin(), ids_.end(), id)) continue;
    return absl::NotFoundError(absl::StrCat("there is no event ", id, " to be replaced"));
  }
  if (!durable_ && !durable_copy_) {
    const auto size = static_cast<std::ptrdiff_t>(durable_size_);
    durable_copy_ = Durable{{events_.begin(), events_.begin() + size}, {ids_.begin(), ids_.begin() + size}};
  }
  std::vector<Event> events;
  std::vector<int64_t> ids;
  for (size_t i = 0; i < ids_.size(); ++i) {
    const bool goes = std::binary_search(replacement.ids.begin(), replacement.ids.end(), ids_[i]);
    if (goes && ids_[i] != replacement.ids.back()) continue;
    events.push_back(goes ? replacement.kept : std::move(events_[i]));
    ids.push_back(ids_[i]);
  }
  events_ = std::move(events);
  ids_ = std::move(ids);
  if (durable_) Sync();
  return absl::OkStatus();
}

absl::StatusOr<JournalSize> MemoryJournal::Size() {
  JournalSize size{.last_id = last_id_, .events = static_cast<int64_t>(events_.size())};
  for (const Event& event : events_) size.used_bytes += static_cast<int64_t>(BytesOf(event));
  size.file_bytes = size.used_bytes;
  return size;
}

void MemoryJournal::Sync() {
  durable_size_ = events_.size();
  durable_copy_.reset();
}

void MemoryJournal::Crash() {
  if (durable_copy_) {
    events_ = std::move(durable_copy_->events);
    ids_ = std::move(durable_copy_->ids);
    durable_copy_.reset();
  }
  events_.resize(durable_size_);
  ids_.resize(durable_size_);
  last_id_ = ids_.empty() ? 0 : ids_.back();
}

void MemoryJournal::FailAppend(size_t n, absl::Status error) {
  CURVECAST_CHECK(n >= 1 && !error.ok());
  fault_ = Fault{n, std::move(error)};
}

}  // namespace curvecast
