#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/find_run.h"
#include "curvecast/v1/query.pb.h"

namespace curvecast {

// Asks one daemon. UNAVAILABLE, with what to do, if none answers; INVALID_ARGUMENT if the address, or what it needs of
// the environment (client/cpp/endpoint.h), is wrong. gRPC stays behind this header.
class DaemonClient {
 public:
  explicit DaemonClient(std::string address);
  ~DaemonClient();

  absl::Status Ping();
  // All pages. An empty project: all.
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const std::string& project);
  absl::StatusOr<v1::GetRunResponse> GetRun(const RunName& run);
  // An empty metric: the objective.
  absl::StatusOr<v1::GetCurveResponse> GetCurve(const RunName& run, const std::string& metric);
  // The same, and an empty curve of a run whose objective has no point yet.
  absl::StatusOr<v1::GetCurveResponse> GetCurveIfAny(const RunName& run, const std::string& metric);
  absl::StatusOr<v1::ForecastRunResponse> ForecastRun(const v1::ForecastRunRequest& request);
  // All pages.
  absl::StatusOr<v1::GetFlagsResponse> GetFlags(v1::GetFlagsRequest request);
  absl::StatusOr<v1::Flag> AcknowledgeFlag(const v1::AcknowledgeFlagRequest& request);
  absl::StatusOr<v1::Flag> SilenceFlag(const v1::SilenceFlagRequest& request);
  // Hands over what changes until `on_change` returns false or the stream ends.
  absl::Status WatchRuns(const RunName& run, const std::function<bool(const v1::WatchRunsResponse&)>& on_change);

  // What a person typed, made whole.
  absl::StatusOr<RunName> Find(const std::string& text);

 private:
  struct Wires;
  std::string address_;
  std::unique_ptr<Wires> wires_;
};

// The one text for a daemon that does not answer.
absl::Status UnreachableError(const std::string& address, const std::string& why);

}  // namespace curvecast
