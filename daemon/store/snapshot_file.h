#pragma once

#include <memory>
#include <string>

#include "core/ports/snapshot_store.h"

namespace curvecast {

// The snapshot of a store: the file `journal.snapshot` in its folder. README.md has its form. Whoever uses it holds the
// store's lock.
class SnapshotFile : public SnapshotStore {
 public:
  // `build` names the code and the machine that folded what is written, and must be that of what is read.
  SnapshotFile(const std::string& directory, std::string build);
  explicit SnapshotFile(const std::string& directory) : SnapshotFile(directory, ThisBuild()) {}

  // FoldDigest, and what this machine's mathematical functions give: they differ between processors in the last bit.
  static std::string ThisBuild();

  // Under another name, synced, then renamed. RESOURCE_EXHAUSTED for a full disk, UNAVAILABLE otherwise.
  absl::StatusOr<std::unique_ptr<Writing>> Write(const SnapshotOf& of) override;
  absl::Status Read(absl::FunctionRef<absl::Status(const SnapshotOf&)> accept,
                    absl::FunctionRef<absl::Status(std::string_view)> take) override;

 private:
  const std::string file_;
  const std::string build_;
};

}  // namespace curvecast
