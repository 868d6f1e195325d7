#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// Seconds of a time as people type it: "90s", "30m", "2h", "1d", "1.5h", and "0". INVALID_ARGUMENT for all else, also
// for more than 365 days.
absl::StatusOr<double> ParseDuration(const std::string& text);

}  // namespace curvecast
