#include "daemon/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/rpc/ingest_service.h"
#include "daemon/rpc/query_service.h"

namespace curvecast {
namespace {

constexpr std::chrono::milliseconds kDrainTime{1000};
constexpr std::chrono::milliseconds kShutdownTime{500};

}  // namespace

struct RpcServer::Wires {
  Wires(const Options& options, const Parts& parts)
      : ingest({.stream = {.max_points_per_batch = options.max_points_per_batch},
                .max_streams = static_cast<size_t>(options.max_streams)},
               parts.inbox, parts.clock),
        query(parts.answers, parts.boards, parts.clock) {}

  IngestService ingest;
  QueryService query;
  int port = 0;
  std::unique_ptr<grpc::Server> server;  // Last, so that it is gone before its services.
};

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const Options& options, Parts parts) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto wires = std::make_unique<Wires>(options, parts);

  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &wires->port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // Two daemons on one port is a mistake, not a cluster.
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetResourceQuota(grpc::ResourceQuota("curvecastd").Resize(static_cast<size_t>(options.max_memory_bytes)));
  builder.RegisterService(&wires->ingest);
  builder.RegisterService(&wires->query);
  wires->server = builder.BuildAndStart();
  if (wires->server == nullptr || wires->port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.address,
                     " for gRPC: the port is taken or the address is not this machine's; set listen.grpc"));
  }
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(wires)));
}

RpcServer::RpcServer(std::unique_ptr<Wires> wires) : wires_(std::move(wires)) { SetServing(false); }

RpcServer::~RpcServer() { Shutdown(); }

int RpcServer::port() const { return wires_->port; }

void RpcServer::SetServing(bool serving) { wires_->server->GetHealthCheckService()->SetServingStatus(serving); }

void RpcServer::Drain() {
  SetServing(false);
  wires_->ingest.Drain();
  const auto deadline = std::chrono::steady_clock::now() + kDrainTime;
  while (wires_->ingest.streams() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void RpcServer::Shutdown() {
  wires_->server->Shutdown(std::chrono::system_clock::now() + kShutdownTime);
  wires_->server->Wait();
}

}  // namespace curvecast
