#include "tests/contract/faulty_disk.h"

#include <sqlite3.h>

#include <cstring>
#include <new>

#include "core/base/check.h"

namespace curvecast {
namespace {

// SQLite's interface is in C: a VFS makes files, each a struct that begins with a table of methods. Ours sits in front
// of the real one; the real file follows it in memory.
struct Faults {
  FaultyDisk::Fault fault = FaultyDisk::Fault::kNoSpace;
  int64_t until = 0;  // Operations that still succeed.
  int64_t times = 0;  // Operations that then fail.
  int64_t struck = 0;
};

Faults faults;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs faulty_vfs;

struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real; }

bool Strikes() {
  if (faults.times == 0) return false;
  if (faults.until > 0) {
    --faults.until;
    return false;
  }
  --faults.times;
  ++faults.struck;
  return true;
}

int Close(sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); }
int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return Real(file)->pMethods->xRead(Real(file), to, size, at);
}
int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  if (faults.fault != FaultyDisk::Fault::kSyncError && Strikes()) {
    return faults.fault == FaultyDisk::Fault::kNoSpace ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  return Real(file)->pMethods->xWrite(Real(file), from, size, at);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) { return Real(file)->pMethods->xTruncate(Real(file), size); }
int Sync(sqlite3_file* file, int flags) {
  if (faults.fault == FaultyDisk::Fault::kSyncError && Strikes()) return SQLITE_IOERR_FSYNC;
  return Real(file)->pMethods->xSync(Real(file), flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) { return Real(file)->pMethods->xFileSize(Real(file), size); }
int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int Unlock(sqlite3_file* file, int level) { return Real(file)->pMethods->xUnlock(Real(file), level); }
int CheckReservedLock(sqlite3_file* file, int* out) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
}
int FileControl(sqlite3_file* file, int op, void* arg) {
  return Real(file)->pMethods->xFileControl(Real(file), op, arg);
}
int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
int DeviceCharacteristics(sqlite3_file* file) { return Real(file)->pMethods->xDeviceCharacteristics(Real(file)); }

// Version 1: no shared memory and no mapping, which an exclusive WAL does not use.
const sqlite3_io_methods kMethods = {1,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     DeviceCharacteristics,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* faulty = new (file) FaultyFile{};
  faulty->real = reinterpret_cast<sqlite3_file*>(faulty + 1);
  const int code = real_vfs->xOpen(real_vfs, name, faulty->real, flags, out_flags);
  faulty->base.pMethods = faulty->real->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  CURVECAST_CHECK(real_vfs == nullptr);
  real_vfs = sqlite3_vfs_find(nullptr);
  faulty_vfs = *real_vfs;
  faulty_vfs.zName = "faulty";
  faulty_vfs.szOsFile = static_cast<int>(sizeof(FaultyFile)) + real_vfs->szOsFile;
  faulty_vfs.xOpen = Open;
  CURVECAST_CHECK(sqlite3_vfs_register(&faulty_vfs, /*makeDflt=*/1) == SQLITE_OK);
  Heal();
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&faulty_vfs);
  sqlite3_vfs_register(real_vfs, /*makeDflt=*/1);
  real_vfs = nullptr;
}

void FaultyDisk::Fail(Fault fault, int64_t n, int64_t times) { faults = {fault, n - 1, times, 0}; }

void FaultyDisk::Heal() { faults.times = 0; }

int64_t FaultyDisk::struck() const { return faults.struck; }

}  // namespace curvecast
