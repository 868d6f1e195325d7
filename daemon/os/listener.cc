#include "daemon/os/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr int kBacklog = 1024;
constexpr int kPauseMs = 100;  // After an accept that fails for another reason.

// "[::1]:7461" or "host:7461" as host and port. The form was checked with the configuration.
std::pair<std::string, std::string> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {address, ""};
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

int PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

void SetPort(sockaddr& address, int port) {
  if (address.sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(static_cast<uint16_t>(port));
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(static_cast<uint16_t>(port));
  }
}

// A listening socket, or -1 with errno.
int Bind(const addrinfo& at) {
  const int fd = socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // Not SO_REUSEPORT: two daemons on one port are a mistake, not a cluster.
  const int yes = 1, no = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));  // Of what it accepts, too.
  // [::] is every address, of IPv4 too.
  if (at.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (bind(fd, at.ai_addr, at.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(const std::string& address) {
  const auto failed = [&](const std::string& why) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address,
                     " for gRPC: the port is taken or the address is not this machine's; set listen.grpc (", why, ")"));
  };
  const auto [host, port] = Split(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return failed(gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(found, freeaddrinfo);
  std::unique_ptr<Listener> listener(new Listener());
  int error = 0;
  for (addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    if (listener->port_ != 0) SetPort(*at->ai_addr, listener->port_);  // All on the port that the first one got.
    const int fd = Bind(*at);
    if (fd < 0) {
      error = errno;
      if (error == EADDRINUSE) return failed(std::strerror(error));
      continue;  // A host without IPv6 names ::1 as localhost all the same.
    }
    listener->listening_.push_back(fd);
    listener->port_ = PortOf(fd);
  }
  listener->spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  listener->wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (listener->listening_.empty() || listener->wake_ < 0) return failed(std::strerror(error != 0 ? error : errno));
  return listener;
}

Listener::~Listener() {
  Stop();
  if (spare_ >= 0) close(spare_);
  if (wake_ >= 0) close(wake_);
}

void Listener::Start(Handlers handlers) {
  handlers_ = std::move(handlers);
  thread_ = std::thread([this] { Work(); });
}

void Listener::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    while (write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  for (const int fd : listening_) close(fd);
  listening_.clear();
}

void Listener::Work() {
  std::vector<pollfd> watched = {{wake_, POLLIN, 0}};
  for (const int fd : listening_) watched.push_back({fd, POLLIN, 0});
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;  // A signal.
    if (watched[0].revents != 0) return;
    for (size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents != 0) Take(watched[i].fd);
    }
  }
}

// Those that wait at one socket, until one is turned away: whether more wait is then for poll to say, because an
// accept for nobody takes a file for a moment, and may be short of one.
void Listener::Take(int listening) {
  while (true) {
    int fd = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && HasFileFor(fd)) {
      handlers_.on_connection(fd);
      continue;
    }
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (fd < 0 && spare_ >= 0) {
      // Somebody else has taken the last file. Left in the line, the connection would wake this thread for ever.
      close(std::exchange(spare_, -1));  // Its number may be anybody's from here on.
      fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    }
    const bool left = fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);  // It did not wait for its refusal.
    if (fd >= 0) close(fd);
    if (spare_ < 0) spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (left) return;
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    handlers_.on_refused(static_cast<int64_t>(files.rlim_cur));
    if (fd < 0) poll(nullptr, 0, kPauseMs);
    return;
  }
}

// Numbers of files are given out from the lowest: a high one says that nearly all are taken.
bool Listener::HasFileFor(int fd) const {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return true;
  return static_cast<rlim_t>(fd) + kSpareFiles < files.rlim_cur;
}

}  // namespace curvecast
