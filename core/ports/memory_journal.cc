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

void MemoryJournal::Rows::Add(Event event, int64_t id, uint64_t number) {
  events.push_back(std::move(event));
  ids.push_back(id);
  numbers.push_back(number);
}

void MemoryJournal::Rows::Resize(size_t size) {
  events.resize(size);
  ids.resize(size);
  numbers.resize(size);
}

absl::Status MemoryJournal::TakeFault() {
  if (!fault_ || --fault_->appends_left > 0) return absl::OkStatus();
  return std::exchange(fault_, std::nullopt)->error;
}

absl::Status MemoryJournal::Append(absl::Span<const Event> events) {
  if (absl::Status status = TakeFault(); !status.ok()) return status;
  for (const Event& event : events) {
    rows_.Add(event, ++last_id_, ++written_);
    if (auto* made = std::get_if<ForecastMade>(&rows_.events.back().body)) made->forecast.path.clear();
  }
  if (durable_) Sync();
  return absl::OkStatus();
}

absl::Status MemoryJournal::Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) {
  const auto first = std::upper_bound(rows_.ids.begin(), rows_.ids.end(), after);
  for (auto i = static_cast<size_t>(first - rows_.ids.begin()); i < rows_.ids.size(); ++i) {
    if (absl::Status status = visit(rows_.events[i]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<JournalMark> MemoryJournal::Newest() {
  if (rows_.ids.empty()) return JournalMark{};
  return JournalMark{rows_.ids.back(), rows_.numbers.back()};
}

bool MemoryJournal::Has(const JournalMark& mark) {
  if (mark.id == 0) return mark == JournalMark{};
  const auto at = std::lower_bound(rows_.ids.begin(), rows_.ids.end(), mark.id);
  if (at == rows_.ids.end() || *at != mark.id) return false;
  return rows_.numbers[static_cast<size_t>(at - rows_.ids.begin())] == mark.checksum;
}

absl::StatusOr<std::vector<StoredEvent>> MemoryJournal::Read(int64_t from_id, size_t max_bytes) {
  std::vector<StoredEvent> found;
  auto at = std::lower_bound(rows_.ids.begin(), rows_.ids.end(), from_id);
  for (size_t bytes = 0; at != rows_.ids.end() && bytes < max_bytes; ++at) {
    const Event& event = rows_.events[static_cast<size_t>(at - rows_.ids.begin())];
    found.push_back({*at, BytesOf(event), event});
    bytes += found.back().bytes;
  }
  return found;
}

std::vector<StoredEvent> MemoryJournal::stored() const {
  std::vector<StoredEvent> all;
  for (size_t i = 0; i < rows_.ids.size(); ++i) {
    all.push_back({rows_.ids[i], BytesOf(rows_.events[i]), rows_.events[i]});
  }
  return all;
}

absl::Status MemoryJournal::Replace(const Replacement& replacement) {
  if (absl::Status status = TakeFault(); !status.ok()) return status;
  for (const int64_t id : replacement.ids) {
    if (std::binary_search(rows_.ids.begin(), rows_.ids.end(), id)) continue;
    return absl::NotFoundError(absl::StrCat("there is no event ", id, " to be replaced"));
  }
  if (!durable_ && !durable_copy_) {
    durable_copy_ = rows_;
    durable_copy_->Resize(durable_size_);
  }
  Rows left;
  for (size_t i = 0; i < rows_.ids.size(); ++i) {
    const int64_t id = rows_.ids[i];
    if (!std::binary_search(replacement.ids.begin(), replacement.ids.end(), id)) {
      left.Add(std::move(rows_.events[i]), id, rows_.numbers[i]);
    } else if (id == replacement.ids.back()) {
      left.Add(replacement.kept, id, ++written_);
    }
  }
  rows_ = std::move(left);
  if (durable_) Sync();
  return absl::OkStatus();
}

absl::StatusOr<JournalSize> MemoryJournal::Size() {
  JournalSize size{.last_id = last_id_, .events = static_cast<int64_t>(rows_.events.size())};
  for (const Event& event : rows_.events) size.used_bytes += static_cast<int64_t>(BytesOf(event));
  size.file_bytes = size.used_bytes;
  return size;
}

void MemoryJournal::Sync() {
  durable_size_ = rows_.events.size();
  durable_copy_.reset();
}

void MemoryJournal::Crash() {
  if (durable_copy_) rows_ = *std::exchange(durable_copy_, std::nullopt);
  rows_.Resize(durable_size_);
  last_id_ = rows_.ids.empty() ? 0 : rows_.ids.back();
}

void MemoryJournal::FailAppend(size_t n, absl::Status error) {
  CURVECAST_CHECK(n >= 1 && !error.ok());
  fault_ = Fault{n, std::move(error)};
}

}  // namespace curvecast
