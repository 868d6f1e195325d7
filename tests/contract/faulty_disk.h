#pragma once

#include <cstdint>

#include "tests/contract/vfs_layer.h"

namespace curvecast {

// A disk that fails on demand, for tests of the SQLite journal.
class FaultyDisk : public VfsLayer {
 public:
  enum class Fault {
    kNoSpace,  // A write fails with "disk full".
    kWriteError,
    kShortWrite,  // The first half of the bytes were written; then the disk was full.
    kSyncError,   // The data were written; only the sync fails.
    kReadError,
  };

  // The n-th operation of that kind from now on fails (1: the next one), and `times` - 1 after it.
  void Fail(Fault fault, int64_t n, int64_t times) { fault_ = fault, until_ = n - 1, times_ = times, struck_ = 0; }
  void Heal() { times_ = 0; }
  // Faults that struck since Fail.
  int64_t struck() const { return struck_; }

 private:
  int Read(File& file, void* to, int size, int64_t at) override;
  int Write(File& file, const void* from, int size, int64_t at) override;
  int Sync(File& file, int flags) override;
  bool Strikes();

  Fault fault_ = Fault::kNoSpace;
  int64_t until_ = 0;  // Operations that still succeed.
  int64_t times_ = 0;  // Operations that then fail.
  int64_t struck_ = 0;
};

}  // namespace curvecast
