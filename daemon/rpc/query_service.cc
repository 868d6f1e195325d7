#include "daemon/rpc/query_service.h"

#include <utility>

#include "daemon/rpc/watch_stream.h"

namespace curvecast {
namespace {

// gRPC's codes are absl's.
grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

template <typename Response>
void Finish(grpc::ServerUnaryReactor* reactor, absl::StatusOr<Response> answer, Response* response) {
  if (answer.ok()) *response = *std::move(answer);
  reactor->Finish(answer.ok() ? grpc::Status::OK : ToGrpc(answer.status()));
}

}  // namespace

grpc::ServerUnaryReactor* QueryService::ListRuns(grpc::CallbackServerContext* context,
                                                 const v1::ListRunsRequest* request, v1::ListRunsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Finish(reactor, answers_.ListRuns(*request), response);
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::GetRun(grpc::CallbackServerContext* context, const v1::GetRunRequest* request,
                                               v1::GetRunResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Finish(reactor, answers_.GetRun(*request), response);
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::GetCurve(grpc::CallbackServerContext* context,
                                                 const v1::GetCurveRequest* request, v1::GetCurveResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  answers_.GetCurve(*request, [reactor, response](absl::StatusOr<v1::GetCurveResponse> answer) {
    Finish(reactor, std::move(answer), response);
  });
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::ForecastRun(grpc::CallbackServerContext* context,
                                                    const v1::ForecastRunRequest* request,
                                                    v1::ForecastRunResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  answers_.ForecastRun(*request, [reactor, response](absl::StatusOr<v1::ForecastRunResponse> answer) {
    Finish(reactor, std::move(answer), response);
  });
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchRunsResponse>* QueryService::WatchRuns(grpc::CallbackServerContext*,
                                                                         const v1::WatchRunsRequest* request) {
  auto* stream = new WatchStream(*request, boards_, clock_);
  stream->Begin();
  return stream;
}

grpc::ServerUnaryReactor* QueryService::GetFlags(grpc::CallbackServerContext* context,
                                                 const v1::GetFlagsRequest* request, v1::GetFlagsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Finish(reactor, answers_.GetFlags(*request), response);
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::AcknowledgeFlag(grpc::CallbackServerContext* context,
                                                        const v1::AcknowledgeFlagRequest* request, v1::Flag* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  answers_.AcknowledgeFlag(
      *request, [reactor, response](absl::StatusOr<v1::Flag> answer) { Finish(reactor, std::move(answer), response); });
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::SilenceFlag(grpc::CallbackServerContext* context,
                                                    const v1::SilenceFlagRequest* request, v1::Flag* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  answers_.SilenceFlag(
      *request, [reactor, response](absl::StatusOr<v1::Flag> answer) { Finish(reactor, std::move(answer), response); });
  return reactor;
}

}  // namespace curvecast
