#include "client/cli/output_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "client/cli/terminal.h"

namespace curvecast {

absl::Status WriteOutput(const std::string& path, const std::string& text) {
  if (path == "-") {
    Print(text);
    return absl::OkStatus();
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::FailedPreconditionError("cannot write " + path + ": " + std::strerror(errno) +
                                       "; name a file in a folder that is there, or - for stdout");
}

}  // namespace curvecast
