#include "tests/unit/client/fake_query.h"

#include <chrono>

namespace curvecast {

FakeQuery::FakeQuery() {
  run.mutable_run()->mutable_run()->set_project("demo");
  run.mutable_run()->mutable_run()->set_run_id("a");
  run.mutable_run()->mutable_run()->set_objective("train/loss");
  run.mutable_run()->set_state(v1::Run::RUNNING);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeQuery::~FakeQuery() { server_->Shutdown(std::chrono::system_clock::now()); }

std::vector<v1::GetFlagsRequest> FakeQuery::flag_requests() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return flag_requests_;
}

std::vector<v1::AcknowledgeFlagRequest> FakeQuery::acknowledgements() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return acknowledgements_;
}

std::vector<v1::SilenceFlagRequest> FakeQuery::silences() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return silences_;
}

grpc::Status FakeQuery::ListRuns(grpc::ServerContext* /*context*/, const v1::ListRunsRequest* /*request*/,
                                 v1::ListRunsResponse* response) {
  *response->add_runs() = run.run();
  return grpc::Status::OK;
}

grpc::Status FakeQuery::GetRun(grpc::ServerContext* /*context*/, const v1::GetRunRequest* /*request*/,
                               v1::GetRunResponse* response) {
  *response = run;
  return grpc::Status::OK;
}

grpc::Status FakeQuery::GetCurve(grpc::ServerContext* /*context*/, const v1::GetCurveRequest* /*request*/,
                                 v1::GetCurveResponse* response) {
  if (curve.step().empty()) return {grpc::NOT_FOUND, "no point yet"};
  *response = curve;
  return grpc::Status::OK;
}

grpc::Status FakeQuery::GetFlags(grpc::ServerContext* /*context*/, const v1::GetFlagsRequest* request,
                                 v1::GetFlagsResponse* response) {
  const std::lock_guard<std::mutex> lock(mutex_);
  flag_requests_.push_back(*request);
  const int at = request->page_token().empty() ? 0 : std::stoi(request->page_token());
  if (at >= run.flags_size()) return grpc::Status::OK;
  v1::RunFlag& row = *response->add_flags();
  row.set_project("demo");
  row.set_run_id("a");
  *row.mutable_flag() = run.flags(at);
  if (at + 1 < run.flags_size()) response->set_next_page_token(std::to_string(at + 1));
  return grpc::Status::OK;
}

grpc::Status FakeQuery::AcknowledgeFlag(grpc::ServerContext* /*context*/, const v1::AcknowledgeFlagRequest* request,
                                        v1::Flag* response) {
  const std::lock_guard<std::mutex> lock(mutex_);
  acknowledgements_.push_back(*request);
  if (request->number() > run.flags_size()) return {grpc::NOT_FOUND, "demo/a has no flag 9"};
  *response = run.flags(static_cast<int>(request->number()) - 1);
  response->mutable_acknowledged_at()->set_seconds(1);
  response->set_acknowledged_by(request->by());
  return grpc::Status::OK;
}

grpc::Status FakeQuery::SilenceFlag(grpc::ServerContext* /*context*/, const v1::SilenceFlagRequest* request,
                                    v1::Flag* response) {
  const std::lock_guard<std::mutex> lock(mutex_);
  silences_.push_back(*request);
  *response = run.flags(0);
  if (request->seconds() > 0) response->mutable_silenced_until()->set_seconds(7'258'118'400);  // In the year 2200.
  response->set_silenced_by(request->by());
  return grpc::Status::OK;
}

}  // namespace curvecast
