#pragma once

#include <string>

#include "absl/status/status.h"

namespace curvecast {

// The whole text into the file, which is made or replaced; "-" is stdout. FAILED_PRECONDITION with the path and why.
absl::Status WriteOutput(const std::string& path, const std::string& text);

}  // namespace curvecast
