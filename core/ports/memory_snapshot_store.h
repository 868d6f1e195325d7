#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/ports/snapshot_store.h"

namespace curvecast {

// A snapshot in memory, for tests.
class MemorySnapshotStore : public SnapshotStore {
 public:
  absl::StatusOr<std::unique_ptr<Writing>> Write(const SnapshotOf& of) override;
  absl::Status Read(absl::FunctionRef<absl::Status(const SnapshotOf&)> accept,
                    absl::FunctionRef<absl::Status(std::string_view)> take) override;

  void Fail(absl::Status error) { error_ = std::move(error); }  // From here on, until it is OK: what is written.
  size_t written() const { return written_; }
  std::string& piece(size_t i) { return newest_.pieces.at(i); }  // To be damaged.

 private:
  struct Snapshot {
    SnapshotOf of;
    std::vector<std::string> pieces;
  };
  class MemoryWriting;

  Snapshot newest_;
  size_t written_ = 0;
  absl::Status error_;
};

}  // namespace curvecast
