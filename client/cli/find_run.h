#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

struct RunName {
  std::string project;
  std::string run_id;
};

// "project/run_id", or a bare run id with an empty project.
RunName SplitRunName(const std::string& text);

// The run that a person means, of all that there are. A bare run id will do if it is the only one. NOT_FOUND names what
// comes near; INVALID_ARGUMENT lists the candidates if there are several.
absl::StatusOr<RunName> FindRun(const std::string& text, const std::vector<RunName>& runs);

}  // namespace curvecast
