#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"

// Folders whose making and whose files outlive a power loss.
namespace curvecast {

// Makes the folder and those above it that are not there, durably. PERMISSION_DENIED, with what to do, if it cannot.
absl::Status MakeStoreFolder(const std::string& directory);

// The names in it are durable.
absl::Status SyncFolder(const std::filesystem::path& folder);

}  // namespace curvecast
