#include "core/ports/snapshot_store.h"

#include "absl/strings/str_cat.h"

namespace curvecast {

absl::StatusOr<JournalMark> LoadSnapshot(SnapshotStore& store, Journal& journal, Engine& engine) {
  JournalMark newest;
  const auto accept = [&](const SnapshotOf& of) {
    if (const std::string settings = engine.settings(); of.settings != settings) {
      return absl::FailedPreconditionError(
          absl::StrCat("it was folded under other settings (", of.settings, "; now ", settings, ")"));
    }
    if (!journal.Has(of.newest)) {
      return absl::FailedPreconditionError(
          absl::StrCat("it goes up to an event ", of.newest.id, " that is not in this journal"));
    }
    newest = of.newest;
    return absl::OkStatus();
  };
  absl::Status status = store.Read(accept, [&](std::string_view piece) { return engine.Load(piece); });
  if (status.ok()) return newest;
  engine.Clear();
  return status;
}

}  // namespace curvecast
