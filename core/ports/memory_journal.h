#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/ports/compactable_journal.h"

namespace curvecast {

// A journal in memory, for tests: it keeps the promise of Journal, or breaks it on demand in the ways that disks do.
// Its object stands for the disk: what would survive a restart is what is still there after Crash(). One thread.
class MemoryJournal : public CompactableJournal {
 public:
  absl::Status Append(absl::Span<const Event> events) override;
  using Journal::Replay;
  absl::Status Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) override;
  absl::StatusOr<JournalMark> Newest() override;
  bool Has(const JournalMark& mark) override;
  absl::StatusOr<std::vector<StoredEvent>> Read(int64_t from_id, size_t max_bytes) override;
  absl::Status Replace(const Replacement& replacement) override;
  absl::StatusOr<JournalSize> Size() override;

  // While false, Append and Replace answer OK without making anything durable, as a disk does that lies about its
  // cache.
  void set_durable(bool durable) { durable_ = durable; }
  // Makes durable what is not.
  void Sync();
  // The power goes: what was done since the last durable Append or Replace is undone.
  void Crash();

  // The n-th Append or Replace from now (1: the next one) fails with `error`, once, and leaves nothing.
  void FailAppend(size_t n, absl::Status error);

  const std::vector<Event>& events() const { return rows_.events; }
  std::vector<StoredEvent> stored() const;  // The same, with their ids.

 private:
  struct Fault {
    size_t appends_left;
    absl::Status error;
  };
  struct Rows {
    std::vector<Event> events;
    std::vector<int64_t> ids;       // Of the events.
    std::vector<uint64_t> numbers;  // Likewise. No two events ever had one, so they serve as checksums.

    void Add(Event event, int64_t id, uint64_t number);
    void Resize(size_t size);
  };
  absl::Status TakeFault();

  Rows rows_;
  uint64_t written_ = 0;  // Events, ever.
  int64_t last_id_ = 0;
  size_t durable_size_ = 0;           // The leading events that Crash() leaves ...
  std::optional<Rows> durable_copy_;  // ... or these: something was replaced since.
  bool durable_ = true;
  std::optional<Fault> fault_;
};

}  // namespace curvecast
