#include "tests/contract/faulty_disk.h"

namespace curvecast {

bool FaultyDisk::Strikes() {
  if (times_ == 0) return false;
  if (until_ > 0) {
    --until_;
    return false;
  }
  --times_;
  ++struck_;
  return true;
}

int FaultyDisk::Read(File& file, void* to, int size, int64_t at) {
  if (fault_ == Fault::kReadError && Strikes()) return SQLITE_IOERR_READ;
  return file.Read(to, size, at);
}

int FaultyDisk::Write(File& file, const void* from, int size, int64_t at) {
  const bool of_writes = fault_ != Fault::kSyncError && fault_ != Fault::kReadError;
  if (!of_writes || !Strikes()) return file.Write(from, size, at);
  if (fault_ == Fault::kShortWrite) file.Write(from, size / 2, at);
  return fault_ == Fault::kWriteError ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

int FaultyDisk::Sync(File&, int) {
  // No real sync: the real machine's power stays, and tests would wait for it.
  return fault_ == Fault::kSyncError && Strikes() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

}  // namespace curvecast
