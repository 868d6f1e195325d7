#include "client/cli/daemon_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "client/cpp/endpoint.h"
#include "curvecast/v1/query.grpc.pb.h"

namespace curvecast {
namespace {

constexpr std::chrono::seconds kAnswerTimeout(20);

template <typename Request, typename Response, typename Stub, typename Wires>
absl::Status Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Wires& wires,
                 const Request& request, Response& response, const std::string& address) {
  if (!wires.no_endpoint.ok()) return wires.no_endpoint;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAnswerTimeout);
  const grpc::Status status = (wires.stub.get()->*method)(&context, request, &response);
  if (status.ok()) return absl::OkStatus();
  if (status.error_code() == grpc::UNAVAILABLE || status.error_code() == grpc::DEADLINE_EXCEEDED) {
    return UnreachableError(address, status.error_message());
  }
  if (status.error_code() == grpc::UNIMPLEMENTED && status.error_message().empty()) {
    return absl::UnimplementedError("the curvecastd at " + address + " is older than this command and cannot do it");
  }
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace

struct DaemonClient::Wires {
  absl::Status no_endpoint;  // Why there is no stub.
  std::unique_ptr<v1::QueryService::Stub> stub;
};

absl::Status UnreachableError(const std::string& address, const std::string& grpc_text) {
  // gRPC tells the whole story; its end is what a person needs.
  const size_t colon = grpc_text.rfind(": ");
  const std::string why = colon == std::string::npos ? grpc_text : grpc_text.substr(colon + 2);
  if (why.find("certificate verify failed") != std::string::npos) {
    return absl::UnavailableError(
        "the certificate of curvecastd at " + address + " is not trusted (" + why +
        ")\nName the file of who signed it with CURVECAST_TLS_CA, and the host as it stands in the certificate.");
  }
  return absl::UnavailableError(
      "no curvecastd answers at " + address + " (" + why +
      ")\nStart one with `curvecastd`, or name another with --address HOST:PORT or CURVECAST_ADDRESS.");
}

DaemonClient::DaemonClient(std::string address) : address_(std::move(address)), wires_(std::make_unique<Wires>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const absl::StatusOr<Endpoint> endpoint = ToEndpoint(address_);
  wires_->no_endpoint = endpoint.status();
  if (endpoint.ok()) wires_->stub = v1::QueryService::NewStub(endpoint->Connect(arguments));
}

DaemonClient::~DaemonClient() = default;

absl::Status DaemonClient::Ping() {
  v1::ListRunsRequest request;
  request.set_page_size(1);
  v1::ListRunsResponse response;
  return Ask(&v1::QueryService::Stub::ListRuns, *wires_, request, response, address_);
}

absl::StatusOr<v1::ListRunsResponse> DaemonClient::ListRuns(const std::string& project) {
  v1::ListRunsRequest request;
  request.set_project(project);
  v1::ListRunsResponse all;
  do {
    v1::ListRunsResponse page;
    const absl::Status status = Ask(&v1::QueryService::Stub::ListRuns, *wires_, request, page, address_);
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    for (v1::RunSummary& run : *page.mutable_runs()) *all.add_runs() = std::move(run);
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<v1::GetRunResponse> DaemonClient::GetRun(const RunName& run) {
  v1::GetRunRequest request;
  request.set_project(run.project);
  request.set_run_id(run.run_id);
  v1::GetRunResponse response;
  const absl::Status status = Ask(&v1::QueryService::Stub::GetRun, *wires_, request, response, address_);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::GetCurveResponse> DaemonClient::GetCurve(const RunName& run, const std::string& metric) {
  v1::GetCurveRequest request;
  request.set_project(run.project);
  request.set_run_id(run.run_id);
  request.set_metric(metric);
  v1::GetCurveResponse response;
  const absl::Status status = Ask(&v1::QueryService::Stub::GetCurve, *wires_, request, response, address_);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::GetCurveResponse> DaemonClient::GetCurveIfAny(const RunName& run, const std::string& metric) {
  const absl::StatusOr<v1::GetCurveResponse> curve = GetCurve(run, metric);
  if (metric.empty() && curve.status().code() == absl::StatusCode::kNotFound) return v1::GetCurveResponse();
  return curve;
}

absl::StatusOr<v1::ForecastRunResponse> DaemonClient::ForecastRun(const v1::ForecastRunRequest& request) {
  v1::ForecastRunResponse response;
  const absl::Status status = Ask(&v1::QueryService::Stub::ForecastRun, *wires_, request, response, address_);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::GetFlagsResponse> DaemonClient::GetFlags(v1::GetFlagsRequest request) {
  v1::GetFlagsResponse all;
  do {
    v1::GetFlagsResponse page;
    const absl::Status status = Ask(&v1::QueryService::Stub::GetFlags, *wires_, request, page, address_);
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    for (v1::RunFlag& flag : *page.mutable_flags()) *all.add_flags() = std::move(flag);
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<v1::Flag> DaemonClient::AcknowledgeFlag(const v1::AcknowledgeFlagRequest& request) {
  v1::Flag flag;
  const absl::Status status = Ask(&v1::QueryService::Stub::AcknowledgeFlag, *wires_, request, flag, address_);
  if (!status.ok()) return status;
  return flag;
}

absl::StatusOr<v1::Flag> DaemonClient::SilenceFlag(const v1::SilenceFlagRequest& request) {
  v1::Flag flag;
  const absl::Status status = Ask(&v1::QueryService::Stub::SilenceFlag, *wires_, request, flag, address_);
  if (!status.ok()) return status;
  return flag;
}

absl::Status DaemonClient::WatchRuns(const RunName& run,
                                     const std::function<bool(const v1::WatchRunsResponse&)>& on_change) {
  v1::WatchRunsRequest request;
  request.set_project(run.project);
  request.set_run_id(run.run_id);
  grpc::ClientContext context;
  if (!wires_->no_endpoint.ok()) return wires_->no_endpoint;
  const auto stream = wires_->stub->WatchRuns(&context, request);
  v1::WatchRunsResponse response;
  while (stream->Read(&response)) {
    if (on_change(response)) continue;
    context.TryCancel();
    stream->Finish();
    return absl::OkStatus();
  }
  const grpc::Status status = stream->Finish();
  if (status.error_code() == grpc::UNAVAILABLE) return UnreachableError(address_, status.error_message());
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

absl::StatusOr<RunName> DaemonClient::Find(const std::string& text) {
  const absl::StatusOr<v1::ListRunsResponse> runs = ListRuns("");
  if (!runs.ok()) return runs.status();
  std::vector<RunName> names;
  for (const v1::RunSummary& run : runs->runs()) names.push_back({run.run().project(), run.run().run_id()});
  return FindRun(text, names);
}

}  // namespace curvecast
