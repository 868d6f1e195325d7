#include "tests/contract/vfs_layer.h"

#include <new>

#include "core/base/check.h"

namespace curvecast {
namespace {

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs layer_vfs;
VfsLayer* layer = nullptr;

}  // namespace

// SQLite's interface is in C: a VFS makes files, each a struct that begins with a table of methods. Ours sits in front
// of the real one; the real file follows it in memory.
struct VfsCalls {
  struct LayeredFile {
    sqlite3_file base;
    sqlite3_file* real;
    VfsLayer::File* file;
  };

  static sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<LayeredFile*>(file)->real; }
  static VfsLayer::File& Ours(sqlite3_file* file) { return *reinterpret_cast<LayeredFile*>(file)->file; }

  static int Close(sqlite3_file* file) {
    delete reinterpret_cast<LayeredFile*>(file)->file;
    return Real(file)->pMethods->xClose(Real(file));
  }
  static int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return layer->Read(Ours(file), to, size, at);
  }
  static int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    return layer->Write(Ours(file), from, size, at);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) { return layer->Truncate(Ours(file), size); }
  static int Sync(sqlite3_file* file, int flags) { return layer->Sync(Ours(file), flags); }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  }
  static int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
  static int Unlock(sqlite3_file* file, int level) { return Real(file)->pMethods->xUnlock(Real(file), level); }
  static int CheckReservedLock(sqlite3_file* file, int* out) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
  }
  static int FileControl(sqlite3_file* file, int op, void* arg) {
    return Real(file)->pMethods->xFileControl(Real(file), op, arg);
  }
  static int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
  static int DeviceCharacteristics(sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  }

  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags);
  static int Delete(sqlite3_vfs*, const char* name, int sync_folder) { return layer->Delete(name, sync_folder != 0); }
};

namespace {

// Version 1: no shared memory and no mapping, which an exclusive WAL does not use.
const sqlite3_io_methods kMethods = {1,
                                     VfsCalls::Close,
                                     VfsCalls::Read,
                                     VfsCalls::Write,
                                     VfsCalls::Truncate,
                                     VfsCalls::Sync,
                                     VfsCalls::FileSize,
                                     VfsCalls::Lock,
                                     VfsCalls::Unlock,
                                     VfsCalls::CheckReservedLock,
                                     VfsCalls::FileControl,
                                     VfsCalls::SectorSize,
                                     VfsCalls::DeviceCharacteristics,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

}  // namespace

int VfsCalls::Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* layered = new (file) LayeredFile{};
  if (const int code = layer->Open(name == nullptr ? "" : name); code != SQLITE_OK) return code;
  layered->real = reinterpret_cast<sqlite3_file*>(layered + 1);
  const int code = real_vfs->xOpen(real_vfs, name, layered->real, flags, out_flags);
  if (layered->real->pMethods == nullptr) return code;
  layered->file = new VfsLayer::File(layered->real, name);
  layered->base.pMethods = &kMethods;
  return code;
}

VfsLayer::VfsLayer() {
  CURVECAST_CHECK(real_vfs == nullptr);
  layer = this;
  real_vfs = sqlite3_vfs_find(nullptr);
  layer_vfs = *real_vfs;
  layer_vfs.zName = "layer";
  layer_vfs.szOsFile = static_cast<int>(sizeof(VfsCalls::LayeredFile)) + real_vfs->szOsFile;
  layer_vfs.xOpen = VfsCalls::Open;
  layer_vfs.xDelete = VfsCalls::Delete;
  CURVECAST_CHECK(sqlite3_vfs_register(&layer_vfs, /*makeDflt=*/1) == SQLITE_OK);
}

VfsLayer::~VfsLayer() {
  sqlite3_vfs_unregister(&layer_vfs);
  sqlite3_vfs_register(real_vfs, /*makeDflt=*/1);
  real_vfs = nullptr;
  layer = nullptr;
}

int VfsLayer::Open(const std::string&) { return SQLITE_OK; }

int VfsLayer::Delete(const std::string& name, bool sync_folder) {
  return real_vfs->xDelete(real_vfs, name.c_str(), sync_folder ? 1 : 0);
}

}  // namespace curvecast
