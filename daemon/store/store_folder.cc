#include "daemon/store/store_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "fmt/format.h"

namespace curvecast {

namespace fs = std::filesystem;

absl::Status MakeStoreFolder(const std::string& directory) {
  if (directory.empty()) return absl::InvalidArgumentError("store.directory is empty: write the path of a folder");
  std::error_code error;
  fs::path there = fs::absolute(directory, error).lexically_normal();
  if (!there.has_filename()) there = there.parent_path();  // A slash ended it.
  const fs::path wanted = there;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  fs::create_directories(wanted, error);
  if (error || !fs::is_directory(wanted, error)) {
    return absl::PermissionDeniedError(fmt::format(
        "{}: cannot make this folder for the store ({}): choose another one (store.directory) or give the daemon's "
        "user the right to make it",
        directory, error ? error.message() : "it is a file"));
  }
  // Each new folder is a name in the one above it.
  for (fs::path made = wanted; made != there; made = made.parent_path()) {
    if (absl::Status status = SyncFolder(made.parent_path()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SyncFolder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{}: cannot sync the folder ({})", folder.string(), std::strerror(error)));
}

}  // namespace curvecast
