#pragma once

#include <string>

#include "absl/status/status.h"
#include "curvecast/v1/config.pb.h"
#include "daemon/config/key.h"

// The text of one setting, to and from its field of a Config.
namespace curvecast {

// INVALID_ARGUMENT 'is "many"; write a whole number from 1 to 100' if it is of the wrong type or out of range; the
// field is then as it was. The caller puts the key and the place before it.
absl::Status SetField(v1::Config& config, const Key& key, const std::string& text);

std::string GetField(const v1::Config& config, const Key& key);

// What may stand there: "a whole number from 1 to 100".
std::string Allowed(const Key& key);

}  // namespace curvecast
