#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace curvecast {

// A Unix socket in a folder, on which the daemon's user (or root) gives it a command: a line, answered by a line. One
// command at a time, on a thread of its own.
class CommandSocket {
 public:
  using Handler = std::function<absl::Status(const std::string& command)>;

  // Takes the place of a socket that a killed daemon left: the folder must be this process's alone (StoreLock).
  // UNAVAILABLE if the folder's disk has no sockets.
  static absl::StatusOr<std::unique_ptr<CommandSocket>> Listen(const std::string& folder, Handler handler);
  // Waits for a command that is being carried out. Removes the socket.
  ~CommandSocket();
  CommandSocket(const CommandSocket&) = delete;
  CommandSocket& operator=(const CommandSocket&) = delete;

  // Gives the daemon of a folder a command and waits for its answer, however long that takes. NOT_FOUND if none
  // listens there.
  static absl::Status Give(const std::string& folder, const std::string& command);

 private:
  CommandSocket(int descriptor, int folder, Handler handler);
  void Serve();
  void Answer(int connection) const;

  const int descriptor_;
  const int folder_;  // Open as long as the socket is.
  const Handler handler_;
  std::thread thread_;
};

}  // namespace curvecast
