#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/ports/clock.h"
#include "daemon/loop/board_holder.h"
#include "daemon/loop/inbox.h"
#include "daemon/query/answers.h"

namespace curvecast {

// The gRPC side of the daemon: ingest, query, health and reflection on one port. No gRPC in this header.
class RpcServer {
 public:
  // Files in PEM. With none of them the port speaks in the clear.
  struct Tls {
    std::string certificate = {};  // The daemon's, and behind it those that lead to one that clients trust.
    std::string key = {};          // Of the certificate, without a password.
    std::string client_ca = {};    // Who signs the clients' certificates; without it anybody may connect.
  };
  struct Options {
    std::string address;  // host:port; port 0 takes any free one.
    Tls tls = {};
    int64_t max_points_per_batch = 16384;
    int64_t max_streams = 4096;
    int64_t max_message_bytes = 1 << 20;
    int64_t max_memory_bytes = 256 << 20;
  };
  struct Parts {
    Inbox& inbox;
    Clock& clock;
    const Answers& answers;
    BoardHolder& boards;
    // A connection was turned away, since the process may open no more than so many files. On a thread of the server's.
    std::function<void(int64_t files)> on_refused_connection;
  };

  // UNAVAILABLE if the address cannot be listened on; INVALID_ARGUMENT if the files of TLS are wrong.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const Options& options, Parts parts);
  ~RpcServer();

  int port() const;
  // What the health service answers; false until called.
  void SetServing(bool serving);
  // Ends every stream once its batches are answered, within a second; refuses what comes. The inbox must still be
  // served.
  void Drain();
  void Shutdown();

 private:
  struct Wires;
  explicit RpcServer(std::unique_ptr<Wires> wires);
  std::unique_ptr<Wires> wires_;
};

}  // namespace curvecast
