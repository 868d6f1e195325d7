#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/engine/event.h"

namespace curvecast {

// Names one event of a journal, and with it all before it, or what that was replaced with (CompactableJournal): either
// folds to the same in the end. Once the event itself is replaced the mark names nothing any more.
struct JournalMark {
  int64_t id = 0;         // Events count from 1; 0 stands for none.
  uint64_t checksum = 0;  // Of the event; another event in its place has another.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(id, checksum);
  }
  friend bool operator==(const JournalMark&, const JournalMark&) = default;
};

// The one record of what happened. Used by one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;

  // Appends the events in order, all or none. When it returns OK they survive the death of the process and of the
  // machine's power. When it fails none of them is there, now or after a restart, and the journal can be tried again:
  // RESOURCE_EXHAUSTED for a full disk, DATA_LOSS for damage, UNAVAILABLE otherwise; the message says what to do.
  virtual absl::Status Append(absl::Span<const Event> events) = 0;

  // Calls `visit` with every event behind the one of this id (0: with every event ever appended), in order. Stops at
  // the first error and returns it; DATA_LOSS, with the place named, if a record cannot be read or is lost.
  virtual absl::Status Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) = 0;
  absl::Status Replay(absl::FunctionRef<absl::Status(Event)> visit) { return Replay(0, visit); }

  // The newest event. Fails as Replay does.
  virtual absl::StatusOr<JournalMark> Newest() = 0;
  // Whether that very event is in it. False too if it cannot be read: a replay says why.
  virtual bool Has(const JournalMark& mark) = 0;
};

}  // namespace curvecast
