#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/run_compactor.h"
#include "core/ports/journal.h"

namespace curvecast {

struct JournalSize {
  int64_t last_id = 0;  // Of the newest event.
  int64_t events = 0;
  int64_t used_bytes = 0;  // What its events take ...
  int64_t file_bytes = 0;  // ... and the file that has place for them, and for those that came and went.
};

// A journal in which rows can be replaced with what they have made of a run. Events keep their ids for ever; of what
// was replaced the ids are gone. These three may be called from any thread while another appends.
class CompactableJournal : public Journal {
 public:
  // The events with ids from `from_id` on, in order: as many as take `max_bytes`, at least one if there is any. A
  // replay of all events this is not: a gap is no error here.
  virtual absl::StatusOr<std::vector<StoredEvent>> Read(int64_t from_id, size_t max_bytes) = 0;

  // All or nothing, and durable, as Append; it fails as Append does. One that failed may be there after a restart.
  // NOT_FOUND if one of the rows is not there.
  virtual absl::Status Replace(const Replacement& replacement) = 0;

  virtual absl::StatusOr<JournalSize> Size() = 0;
};

}  // namespace curvecast
