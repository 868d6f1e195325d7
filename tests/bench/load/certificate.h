#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// A self-signed certificate of 127.0.0.1 for two days (P-256) and its key, made by openssl. `folder` must be there.
struct Certificate {
  std::string file, key_file;
};
absl::StatusOr<Certificate> MakeCertificate(const std::string& folder);

}  // namespace curvecast
