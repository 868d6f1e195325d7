#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

#include "daemon/config/config.h"
#include "daemon/config/key.h"
#include "daemon/config/value.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

std::string VariableName(const Key& key) {
  std::string name = "CURVECAST_" + key.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '.' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

absl::Status Set(v1::Config& config, const Key& key, const std::string& source, const std::string& value) {
  absl::Status status = SetField(config, key, value);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(fmt::format("{}: {}", source, std::string(status.message())));
}

}  // namespace

absl::Status ApplyEnvironment(v1::Config& config) {
  for (const Key& key : Keys()) {
    const std::string variable = VariableName(key);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    if (absl::Status status = Set(config, key, variable, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SetValue(v1::Config& config, const std::string& name, const std::string& value) {
  const Key* key = FindKey(name);
  if (key == nullptr) return absl::InvalidArgumentError(fmt::format("{}: unknown key; {}", name, Advise(name)));
  return Set(config, *key, name, value);
}

}  // namespace curvecast
