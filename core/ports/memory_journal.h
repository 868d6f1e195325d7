#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/ports/journal.h"

namespace curvecast {

// A journal in memory, for tests: it keeps the promise of Journal, or breaks it on demand in the ways that disks do.
// Its object stands for the disk: what would survive a restart is what is still there after Crash().
class MemoryJournal : public Journal {
 public:
  absl::Status Append(absl::Span<const Event> events) override;
  using Journal::Replay;
  absl::Status Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) override;
  absl::StatusOr<JournalMark> Newest() override;
  bool Has(const JournalMark& mark) override;

  // While false, Append answers OK without making anything durable, as a disk does that lies about its cache.
  void set_durable(bool durable) { durable_ = durable; }
  // Makes durable what is not.
  void Sync() { durable_size_ = events_.size(); }
  // The power goes: what was appended since the last durable Append is gone.
  void Crash() {
    events_.resize(durable_size_);
    numbers_.resize(durable_size_);
  }

  // The n-th Append from now (1: the next one) fails with `error`, once, and leaves nothing.
  void FailAppend(size_t n, absl::Status error);

  const std::vector<Event>& events() const { return events_; }

 private:
  struct Fault {
    size_t appends_left;
    absl::Status error;
  };
  std::vector<Event> events_;
  std::vector<uint64_t> numbers_;  // Of the events: no two events ever had one, so they serve as checksums.
  uint64_t appended_ = 0;          // Ever.
  size_t durable_size_ = 0;        // The leading events that Crash() leaves.
  bool durable_ = true;
  std::optional<Fault> fault_;
};

}  // namespace curvecast
