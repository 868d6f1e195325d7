#include "daemon/store/page_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/format.h"

namespace curvecast {

absl::StatusOr<PageFile> PageFile::Open(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const std::string why = fmt::format("{}: cannot be read ({})", file, std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(why) : absl::UnavailableError(why);
  }
  PageFile opened(descriptor, 0);
  struct stat status;
  if (fstat(descriptor, &status) == 0) opened.size_ = status.st_size;
  return opened;
}

PageFile::PageFile(PageFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

PageFile::~PageFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string PageFile::Read(int64_t at, size_t size) const {
  std::string bytes(size, '\0');
  const ssize_t got = at < 0 ? -1 : pread(descriptor_, bytes.data(), size, at);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

}  // namespace curvecast
