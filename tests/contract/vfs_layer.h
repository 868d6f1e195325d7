#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

// A layer between SQLite and the real disk, for tests. While an object lives, every file that this process opens
// through SQLite goes through it; there is one at a time, and files opened through it must be closed before it goes.
namespace curvecast {

class VfsLayer {
 public:
  VfsLayer(const VfsLayer&) = delete;
  VfsLayer& operator=(const VfsLayer&) = delete;

 protected:
  // The real file below, and its path.
  class File {
   public:
    File(sqlite3_file* real, const char* name) : real_(real), name_(name == nullptr ? "" : name) {}
    int Read(void* to, int size, int64_t at) { return real_->pMethods->xRead(real_, to, size, at); }
    int Write(const void* from, int size, int64_t at) { return real_->pMethods->xWrite(real_, from, size, at); }
    int Truncate(int64_t size) { return real_->pMethods->xTruncate(real_, size); }
    int Sync(int flags) { return real_->pMethods->xSync(real_, flags); }
    const std::string& name() const { return name_; }

   private:
    sqlite3_file* real_;
    std::string name_;
  };

  VfsLayer();
  virtual ~VfsLayer();

  // Each answers as SQLite's methods do, and by default lets the real disk do it.
  virtual int Open(const std::string& name);  // Before the file is opened: SQLITE_OK to go on.
  virtual int Delete(const std::string& name, bool sync_folder);
  virtual int Read(File& file, void* to, int size, int64_t at) { return file.Read(to, size, at); }
  virtual int Write(File& file, const void* from, int size, int64_t at) { return file.Write(from, size, at); }
  virtual int Truncate(File& file, int64_t size) { return file.Truncate(size); }
  virtual int Sync(File& file, int flags) { return file.Sync(flags); }

 private:
  friend struct VfsCalls;  // SQLite's side of it, in C.
};

}  // namespace curvecast
