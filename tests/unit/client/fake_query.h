#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "curvecast/v1/query.grpc.pb.h"

namespace curvecast {

// A query service in this process that holds one run, demo/a, and its flags, one a page.
class FakeQuery : public v1::QueryService::Service {
 public:
  FakeQuery();
  ~FakeQuery() override;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // What it answers, set before anybody asks.
  v1::GetRunResponse run;
  v1::GetCurveResponse curve;  // Without a step: NOT_FOUND.

  // What it was asked.
  std::vector<v1::GetFlagsRequest> flag_requests();
  std::vector<v1::AcknowledgeFlagRequest> acknowledgements();
  std::vector<v1::SilenceFlagRequest> silences();

  grpc::Status ListRuns(grpc::ServerContext*, const v1::ListRunsRequest*, v1::ListRunsResponse* response) override;
  grpc::Status GetRun(grpc::ServerContext*, const v1::GetRunRequest*, v1::GetRunResponse* response) override;
  grpc::Status GetCurve(grpc::ServerContext*, const v1::GetCurveRequest*, v1::GetCurveResponse* response) override;
  grpc::Status GetFlags(grpc::ServerContext*, const v1::GetFlagsRequest* request,
                        v1::GetFlagsResponse* response) override;
  grpc::Status AcknowledgeFlag(grpc::ServerContext*, const v1::AcknowledgeFlagRequest* request,
                               v1::Flag* response) override;
  grpc::Status SilenceFlag(grpc::ServerContext*, const v1::SilenceFlagRequest* request, v1::Flag* response) override;

 private:
  int port_ = 0;
  std::mutex mutex_;
  std::vector<v1::GetFlagsRequest> flag_requests_;
  std::vector<v1::AcknowledgeFlagRequest> acknowledgements_;
  std::vector<v1::SilenceFlagRequest> silences_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace curvecast
