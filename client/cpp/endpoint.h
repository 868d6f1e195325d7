#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace curvecast {

// Where a daemon answers and how it is spoken to: what an address such as "host:7461" or "tls://host:7461" means.
struct Endpoint {
  std::string target;  // host:port, for gRPC.
  std::shared_ptr<grpc::ChannelCredentials> credentials;

  std::shared_ptr<grpc::Channel> Connect(const grpc::ChannelArguments& arguments) const {
    return grpc::CreateCustomChannel(target, credentials, arguments);
  }
};

// With "tls://" the daemon's certificate is checked, its name too, against those who sign that CURVECAST_TLS_CA (a file
// in PEM) names, else against the system's; CURVECAST_TLS_CERTIFICATE and CURVECAST_TLS_KEY, both or neither, are what
// this side shows. The files are read anew each time, so that a renewed one counts from the next connection.
// INVALID_ARGUMENT, with what to do, for another scheme, half of a pair, or a file that is no PEM.
absl::StatusOr<Endpoint> ToEndpoint(const std::string& address);

}  // namespace curvecast
