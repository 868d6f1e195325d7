#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace curvecast {

// A curvecastd process of the benchmark's own, the one beside this program, on free ports of the loopback. It is killed
// when the object goes.
class OwnDaemon {
 public:
  struct Usage {
    double cpu_seconds = 0;
    int64_t resident_bytes = 0;
    int64_t most_resident_bytes = 0;
  };

  // `store` is its folder; what it says goes to the file `store` + ".log".
  explicit OwnDaemon(std::string store, std::vector<std::string> flags = {});
  ~OwnDaemon();
  OwnDaemon(const OwnDaemon&) = delete;
  OwnDaemon& operator=(const OwnDaemon&) = delete;

  // Returns once it listens; it may still be replaying.
  absl::Status Start();
  void Kill();  // SIGKILL: what it had not yet written is lost.

  const std::string& address() const { return address_; }
  const std::string& http_address() const { return http_address_; }
  Usage usage() const;

 private:
  std::string Log() const;

  const std::string store_;
  const std::vector<std::string> flags_;  // Of curvecastd, besides.
  std::string address_, http_address_;
  pid_t pid_ = 0;
};

}  // namespace curvecast
