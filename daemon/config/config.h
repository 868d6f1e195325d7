#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "curvecast/v1/config.pb.h"

// The daemon's configuration: defaults, over them a YAML file, over it the environment, over it the command line.
// Whatever comes out of these functions is complete and within its ranges. Every error is INVALID_ARGUMENT (NOT_FOUND
// for a missing file) and says where, which key, which value, and what to write instead.
namespace curvecast {

// As config.proto states them.
v1::Config DefaultConfig();

// All errors of a file are reported at once, one a line, as file:line:column: key: what.
absl::StatusOr<v1::Config> LoadConfig(const std::string& path);
// The same of a text; `name` stands for the file in messages.
absl::StatusOr<v1::Config> ParseConfig(const std::string& text, const std::string& name);

// CURVECAST_LISTEN_GRPC sets listen.grpc, and so on for every key. Other variables are left alone: in Kubernetes a
// service named curvecast puts some of its own there.
absl::Status ApplyEnvironment(v1::Config& config);

// `key` as in "limits.max_runs". On error `config` is as it was.
absl::Status SetValue(v1::Config& config, const std::string& key, const std::string& value);

// YAML with every key, its value and what may stand there; it can be loaded again.
std::string PrintConfig(const v1::Config& config);

}  // namespace curvecast
