#include "core/ports/memory_snapshot_store.h"

#include <utility>

namespace curvecast {

class MemorySnapshotStore::MemoryWriting : public Writing {
 public:
  MemoryWriting(MemorySnapshotStore& store, const SnapshotOf& of) : store_(store), snapshot_{of, {}} {}
  absl::Status Add(std::string_view piece) override {
    snapshot_.pieces.emplace_back(piece);
    return store_.error_;
  }
  absl::Status Finish() override {
    if (!store_.error_.ok()) return store_.error_;
    store_.newest_ = std::move(snapshot_);
    ++store_.written_;
    return absl::OkStatus();
  }

 private:
  MemorySnapshotStore& store_;
  Snapshot snapshot_;
};

absl::StatusOr<std::unique_ptr<SnapshotStore::Writing>> MemorySnapshotStore::Write(const SnapshotOf& of) {
  return std::make_unique<MemoryWriting>(*this, of);
}

absl::Status MemorySnapshotStore::Read(absl::FunctionRef<absl::Status(const SnapshotOf&)> accept,
                                       absl::FunctionRef<absl::Status(std::string_view)> take) {
  if (written_ == 0) return absl::NotFoundError("there is no snapshot");
  absl::Status status = accept(newest_.of);
  for (size_t i = 0; status.ok() && i < newest_.pieces.size(); ++i) status = take(newest_.pieces[i]);
  return status;
}

}  // namespace curvecast
