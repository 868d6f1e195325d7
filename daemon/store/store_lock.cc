#include "daemon/store/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

std::string Holder(const std::string& file) {
  long pid = 0;
  std::ifstream(file) >> pid;
  return pid > 0 ? fmt::format("process {}", pid) : std::string("another process");
}

absl::Status CannotLock(const std::string& file, int error) {
  if (error == EWOULDBLOCK) {
    return absl::UnavailableError(fmt::format(
        "{}: the store is in use by {}: stop that curvecastd, or give this one another folder (store.directory)", file,
        Holder(file)));
  }
  return absl::UnavailableError(
      fmt::format("{}: cannot lock it ({}): keep the store on a local disk", file, std::strerror(error)));
}

}  // namespace

absl::StatusOr<StoreLock> StoreLock::Take(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return absl::PermissionDeniedError(fmt::format(
        "{}: cannot write there ({}): give the daemon's user that right on the folder, or choose another one "
        "(store.directory)",
        file, std::strerror(errno)));
  }
  StoreLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return CannotLock(file, errno);
  // For people and for the message above; a disk too full to take it does not matter here.
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, pid.data(), pid.size(), 0) < 0) errno = 0;
  return lock;
}

StoreLock::StoreLock(StoreLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

StoreLock::~StoreLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace curvecast
