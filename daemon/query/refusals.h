#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/base/run_key.h"

// What is said to a question that cannot be answered, whatever it asks.
namespace curvecast {

absl::Status Replaying();
absl::Status TooManyQuestions();
absl::Status NoSuchRun(const RunKey& key);
absl::Status BadPageToken(const std::string& token);

// INVALID_ARGUMENT "page_size: ..." unless it is 0 to Answers::kMaxPageSize.
absl::Status CheckPageSize(int page_size);

}  // namespace curvecast
