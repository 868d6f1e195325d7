#include "daemon/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <chrono>
#include <thread>
#include <utility>

#include "daemon/os/listener.h"
#include "daemon/rpc/ingest_service.h"
#include "daemon/rpc/query_service.h"
#include "daemon/rpc/tls.h"

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
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;  // Gone before its services ...
  std::unique_ptr<Listener> listener;    // ... and after whoever brings it connections.
};

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const Options& options, Parts parts) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Listen(options.address);
  if (!listener.ok()) return listener.status();
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials = ServerCredentialsOf(options.tls);
  if (!credentials.ok()) return credentials.status();
  auto wires = std::make_unique<Wires>(options, parts);
  Wires* w = wires.get();

  grpc::ServerBuilder builder;
  wires->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, *std::move(credentials));
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetResourceQuota(grpc::ResourceQuota("curvecastd").Resize(static_cast<size_t>(options.max_memory_bytes)));
  builder.RegisterService(&wires->ingest);
  builder.RegisterService(&wires->query);
  wires->server = builder.BuildAndStart();
  if (wires->server == nullptr) return absl::InternalError("gRPC does not start");
  wires->listener = *std::move(listener);
  wires->listener->Start({.on_connection =
                              [w](int fd) {
                                grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
                                connection.fd = fd;
                                w->acceptor->HandleNewConnection(&connection);
                              },
                          .on_refused = std::move(parts.on_refused_connection)});
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(wires)));
}

RpcServer::RpcServer(std::unique_ptr<Wires> wires) : wires_(std::move(wires)) { SetServing(false); }

RpcServer::~RpcServer() { Shutdown(); }

int RpcServer::port() const { return wires_->listener->port(); }

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
  wires_->listener->Stop();
  wires_->server->Shutdown(std::chrono::system_clock::now() + kShutdownTime);
  wires_->server->Wait();
}

}  // namespace curvecast
