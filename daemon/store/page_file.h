#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// A file that is only read, piece by piece, wherever it can be: of a bad disk some pieces cannot.
class PageFile {
 public:
  // NOT_FOUND if there is none; UNAVAILABLE if it cannot be opened.
  static absl::StatusOr<PageFile> Open(const std::string& file);

  PageFile(PageFile&& other) noexcept;
  PageFile& operator=(PageFile&& other) = delete;
  ~PageFile();

  int64_t size() const { return size_; }
  // `size` bytes from `at` on; fewer, or none, at the end or where the disk does not give them.
  std::string Read(int64_t at, size_t size) const;

 private:
  PageFile(int descriptor, int64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  int64_t size_;
};

}  // namespace curvecast
