#pragma once

#include <string>

#include "absl/status/status.h"
#include "curvecast/v1/run.pb.h"

namespace curvecast {

// One line of a run file from its JSON. The error says what was expected and what stands there, on one line.
absl::Status ParseJsonLine(const std::string& json, v1::RunFileLine& line);

}  // namespace curvecast
