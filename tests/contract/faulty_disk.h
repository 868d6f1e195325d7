#pragma once

#include <cstdint>

// A disk that fails on demand, for tests of the SQLite journal. While an object lives, every file that this process
// opens through SQLite goes through it; there is one at a time, and files opened through it must be closed before it
// goes.
namespace curvecast {

class FaultyDisk {
 public:
  enum class Fault {
    kNoSpace,  // A write fails with "disk full".
    kWriteError,
    kSyncError,  // The data were written; only the sync fails.
  };

  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The n-th operation of that kind from now on fails (1: the next one), and `times` - 1 after it.
  void Fail(Fault fault, int64_t n, int64_t times);
  void Heal();
  // Faults that struck since Fail.
  int64_t struck() const;
};

}  // namespace curvecast
