#pragma once

#include <grpcpp/grpcpp.h>

#include "core/ports/clock.h"
#include "curvecast/v1/query.grpc.pb.h"
#include "daemon/query/answers.h"

namespace curvecast {

// QueryService over Answers.
class QueryService final : public v1::QueryService::CallbackService {
 public:
  // WatchRuns reads `boards` and `clock`; they outlive the service.
  QueryService(const Answers& answers, BoardHolder& boards, Clock& clock)
      : answers_(answers), boards_(boards), clock_(clock) {}

  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext* context, const v1::ListRunsRequest* request,
                                     v1::ListRunsResponse* response) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context, const v1::GetRunRequest* request,
                                   v1::GetRunResponse* response) override;
  grpc::ServerUnaryReactor* GetCurve(grpc::CallbackServerContext* context, const v1::GetCurveRequest* request,
                                     v1::GetCurveResponse* response) override;
  grpc::ServerUnaryReactor* ForecastRun(grpc::CallbackServerContext* context, const v1::ForecastRunRequest* request,
                                        v1::ForecastRunResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchRunsResponse>* WatchRuns(grpc::CallbackServerContext* context,
                                                             const v1::WatchRunsRequest* request) override;
  grpc::ServerUnaryReactor* GetFlags(grpc::CallbackServerContext* context, const v1::GetFlagsRequest* request,
                                     v1::GetFlagsResponse* response) override;
  grpc::ServerUnaryReactor* AcknowledgeFlag(grpc::CallbackServerContext* context,
                                            const v1::AcknowledgeFlagRequest* request, v1::Flag* response) override;
  grpc::ServerUnaryReactor* SilenceFlag(grpc::CallbackServerContext* context, const v1::SilenceFlagRequest* request,
                                        v1::Flag* response) override;

 private:
  const Answers& answers_;
  BoardHolder& boards_;
  Clock& clock_;
};

}  // namespace curvecast
