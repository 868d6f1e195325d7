#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// Holds a store's folder for one process, as long as the object lives; the kernel lets go of it when the process dies.
// The file itself stays: its presence says nothing, only the lock on it does.
class StoreLock {
 public:
  // UNAVAILABLE, naming the process, if another one holds it; PERMISSION_DENIED if the file cannot be made.
  static absl::StatusOr<StoreLock> Take(const std::string& file);

  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&& other) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace curvecast
