#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace curvecast {

// The door of a port: it takes connections and hands each on. gRPC has one of its own, but that of 1.51 shuts for good
// when a single accept fails, as it does when the process may open no more files: from then on the daemon is deaf.
// This one turns away whom it has no file for, says so, and goes on.
class Listener {
 public:
  struct Handlers {
    std::function<void(int fd)> on_connection;  // Owns the socket; it does not block.
    // Turned away, for there is no file for it; told each time. `files` may be open in all.
    std::function<void(int64_t files)> on_refused;
  };
  // Files that connections leave to the rest of the daemon: HTTP, a backup, the command socket.
  static constexpr int64_t kSpareFiles = 24;

  // `address` is host:port; port 0 takes any free one. UNAVAILABLE if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address);
  ~Listener();  // Stop().

  void Start(Handlers handlers);  // On a thread of its own.
  void Stop();                    // No handler runs when it returns, and the port is free.
  int port() const { return port_; }

 private:
  Listener() = default;
  void Work();
  void Take(int listening);
  bool HasFileFor(int fd) const;

  Handlers handlers_;
  std::vector<int> listening_;  // One for each address of the host's name.
  int port_ = 0;
  int spare_ = -1;  // Open for nothing, so that one connection more can be taken and closed.
  int wake_ = -1;   // An eventfd that ends the thread.
  std::thread thread_;
};

}  // namespace curvecast
