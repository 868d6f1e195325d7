#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "core/ports/journal.h"

namespace curvecast {

// What a snapshot is of: a journal up to one event, folded under some settings (Engine::settings).
struct SnapshotOf {
  JournalMark newest;
  std::string settings;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(newest, settings);
  }
};

// Where the newest snapshot of the fold lies. A cache: it may be lost at any time, and costs no more than time then.
class SnapshotStore {
 public:
  // One that is being written. It takes the place of the one before when Finish has returned OK, and not before; if it
  // is let go of earlier, nothing has changed.
  class Writing {
   public:
    virtual ~Writing() = default;
    virtual absl::Status Add(std::string_view piece) = 0;  // Of Engine::Save; not empty.
    virtual absl::Status Finish() = 0;
  };

  virtual ~SnapshotStore() = default;

  // Any thread, one at a time; not while one is read.
  virtual absl::StatusOr<std::unique_ptr<Writing>> Write(const SnapshotOf& of) = 0;

  // Calls `accept` with what the snapshot is of, then `take` with its pieces, whole and as they were written. Stops at
  // the first error and returns it. NOT_FOUND if there is none; FAILED_PRECONDITION if another build wrote it;
  // DATA_LOSS if it is damaged, which may come out after some pieces were taken.
  virtual absl::Status Read(absl::FunctionRef<absl::Status(const SnapshotOf&)> accept,
                            absl::FunctionRef<absl::Status(std::string_view)> take) = 0;
};

// Loads the snapshot into `engine`, which has folded nothing, if it is one of this journal and of its settings. Returns
// the event up to which the engine then has folded; what lies behind it is to be replayed. An error says why there is
// no use for the snapshot; then the engine is empty.
absl::StatusOr<JournalMark> LoadSnapshot(SnapshotStore& store, Journal& journal, Engine& engine);

}  // namespace curvecast
