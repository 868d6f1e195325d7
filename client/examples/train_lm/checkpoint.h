#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/examples/train_lm/adam.h"

namespace curvecast::train_lm {

// Writes step, weights and optimizer beside `path` and renames, so that a crash leaves the checkpoint before it. For
// the machine that wrote it: the numbers are in its own byte order.
absl::Status SaveCheckpoint(const std::string& path, int64_t step, const Eigen::VectorXf& parameters, const Adam& adam);

// Returns the step. FAILED_PRECONDITION if the file holds another model.
absl::StatusOr<int64_t> LoadCheckpoint(const std::string& path, Eigen::VectorXf& parameters, Adam& adam);

}  // namespace curvecast::train_lm
