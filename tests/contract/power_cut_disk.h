#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/contract/vfs_layer.h"

namespace curvecast {

// A disk whose power goes, for tests of the SQLite journal. A sync of a file makes durable what was written to it; of
// what was written since, any sectors may survive and any not, in whatever order they were written (a file that was
// removed without a sync of its folder may come back). A sector is 512 or 4096 bytes, by chance, and survives whole or
// not at all: what SQLite calls powersafe overwrite.
//
// Limits: files that are made or renamed without SQLite are taken to be durable, and a disk that lies about its syncs
// is not what this is.
class PowerCutDisk : public VfsLayer {
 public:
  // The power goes at the n-th write, truncation, sync or removal from now on (1: the next one), in the middle of it.
  void CutAt(int64_t n) { left_ = n; }
  bool out() const { return out_; }

  // The n-th sync from now on fails, and as on Linux that is told once: of what was written before it, any sectors are
  // on the disk and any are not, and a later sync, which succeeds, does not change that.
  void FailSyncAt(int64_t n, uint64_t seed) {
    syncs_left_ = n;
    random_.seed(seed);
  }

  // After all files are closed: makes of them what the disk has kept, by chance, and gives the power back. Also cuts,
  // if that has not happened yet.
  void Restore(uint64_t seed);

 private:
  struct Change {
    enum class Kind { kWrite, kTruncate, kDelete } kind;
    int64_t at = 0;  // The new size, of a truncation.
    std::string bytes = {};
  };
  struct Image {
    std::optional<std::string> durable;  // Nothing: no such file.
    std::vector<Change> since;
  };

  int Open(const std::string& name) override;
  int Delete(const std::string& name, bool sync_folder) override;
  int Read(File& file, void* to, int size, int64_t at) override;
  int Write(File& file, const void* from, int size, int64_t at) override;
  int Truncate(File& file, int64_t size) override;
  int Sync(File& file, int flags) override;
  bool GoesOut();
  static std::optional<std::string> Survivors(const Image& image, std::mt19937_64& random);

  std::map<std::string, Image> images_;
  int64_t left_ = 0;  // Operations until the power goes, if above 0.
  bool out_ = false;
  int64_t syncs_left_ = 0;  // Syncs until one fails, if above 0.
  std::mt19937_64 random_;  // For what that one leaves.
};

}  // namespace curvecast
