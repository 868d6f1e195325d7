#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "daemon/rpc/server.h"

namespace curvecast {

// What the port of gRPC is opened with. INVALID_ARGUMENT, naming the setting, the file and what to do, if one is
// missing, cannot be read or is no PEM.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const RpcServer::Tls& files);

}  // namespace curvecast
