#include "daemon/os/command_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr const char* kName = "command.socket";
constexpr size_t kMostBytes = 64 * 1024;
constexpr int kMostWaiting = 4;

// The path of a socket must be short: this one goes by the folder's descriptor, however long its name is.
sockaddr_un AddressIn(int folder) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, kName);
  return address;
}

int OpenFolder(const std::string& folder) { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

bool SendLine(int connection, const std::string& line) {
  const std::string text = line + "\n";
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

// Without its end; what came until the other side hung up if there is none.
std::string ReceiveLine(int connection) {
  std::string line;
  char byte;
  while (line.size() < kMostBytes && recv(connection, &byte, 1, 0) == 1 && byte != '\n') line += byte;
  return line;
}

std::string LineOf(const absl::Status& status) {
  std::string line = fmt::format("{} {}", static_cast<int>(status.code()), std::string(status.message()));
  for (char& c : line) c = c == '\n' ? ' ' : c;
  return line;
}

absl::Status StatusOf(const std::string& line) {
  if (line.empty()) return absl::UnavailableError("the daemon ended before it answered");
  const int code = std::atoi(line.c_str());
  const size_t space = line.find(' ');
  return absl::Status(static_cast<absl::StatusCode>(code), space == std::string::npos ? "" : line.substr(space + 1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommandSocket>> CommandSocket::Listen(const std::string& folder, Handler handler) {
  const int opened = OpenFolder(folder);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressIn(opened);
  if (opened >= 0) unlinkat(opened, kName, 0);
  // The file that bind makes takes over the socket's mode.
  if (opened < 0 || descriptor < 0 || fchmod(descriptor, 0600) != 0 ||
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(descriptor, kMostWaiting) != 0) {
    const std::string why = std::strerror(errno);
    if (opened >= 0) close(opened);
    if (descriptor >= 0) close(descriptor);
    return absl::UnavailableError(fmt::format("{}/{}: cannot take commands there ({})", folder, kName, why));
  }
  return std::unique_ptr<CommandSocket>(new CommandSocket(descriptor, opened, std::move(handler)));
}

CommandSocket::CommandSocket(int descriptor, int folder, Handler handler)
    : descriptor_(descriptor), folder_(folder), handler_(std::move(handler)), thread_([this] { Serve(); }) {}

CommandSocket::~CommandSocket() {
  shutdown(descriptor_, SHUT_RDWR);  // Ends the accept.
  thread_.join();
  unlinkat(folder_, kName, 0);
  close(descriptor_);
  close(folder_);
}

void CommandSocket::Serve() {
  while (true) {
    const int connection = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0 && errno != EINTR && errno != ECONNABORTED) return;
    if (connection < 0) continue;
    // Somebody who connects and says nothing must not keep the others, or the daemon's end, waiting.
    const timeval patience = {.tv_sec = 2, .tv_usec = 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    Answer(connection);
    close(connection);
  }
}

void CommandSocket::Answer(int connection) const {
  const std::string command = ReceiveLine(connection);
  if (!command.empty()) SendLine(connection, LineOf(handler_(command)));
}

absl::Status CommandSocket::Give(const std::string& folder, const std::string& command) {
  const int opened = OpenFolder(folder);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressIn(opened);
  absl::Status status;
  if (opened < 0 || descriptor < 0 ||
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const std::string why = fmt::format("{}: no daemon takes commands there ({})", folder, std::strerror(errno));
    status = errno == ENOENT || errno == ECONNREFUSED ? absl::NotFoundError(why) : absl::PermissionDeniedError(why);
  } else if (SendLine(descriptor, command)) {
    status = StatusOf(ReceiveLine(descriptor));
  } else {
    status = absl::UnavailableError("the daemon ended before it took the command");
  }
  if (opened >= 0) close(opened);
  if (descriptor >= 0) close(descriptor);
  return status;
}

}  // namespace curvecast
