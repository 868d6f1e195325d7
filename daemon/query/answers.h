#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "core/ports/clock.h"
#include "curvecast/v1/flag.pb.h"
#include "curvecast/v1/query.pb.h"
#include "daemon/loop/board_holder.h"
#include "daemon/loop/fit_pool.h"
#include "daemon/loop/inbox.h"

namespace curvecast {

// Answers the questions of query.proto, without a transport: gRPC and HTTP serve the same. Any thread.
class Answers {
 public:
  static constexpr int kDefaultPageSize = 1000;
  static constexpr int kMaxPageSize = 10000;

  // The clock says which silences have run out.
  Answers(const BoardHolder& boards, Inbox& inbox, FitPool& fitters, Clock& clock)
      : boards_(boards), inbox_(inbox), fitters_(fitters), clock_(clock) {}

  // INVALID_ARGUMENT for a page size or token that makes no sense; UNAVAILABLE while the journal is being replayed.
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) const;

  // NOT_FOUND if there is no such run; UNAVAILABLE while the journal is being replayed.
  absl::StatusOr<v1::GetRunResponse> GetRun(const v1::GetRunRequest& request) const;

  // Likewise. `done` is called once, on the engine's thread or on this one; it must not block.
  void GetCurve(const v1::GetCurveRequest& request,
                std::function<void(absl::StatusOr<v1::GetCurveResponse>)> done) const;

  // The run's end as planned and, if the request asks for one, under another plan; both from the run as it stands, made
  // by the fitters. Fails as GetCurve and MakeWhatIfPlan do; FAILED_PRECONDITION if something is asked of a run that
  // has no point of its objective; RESOURCE_EXHAUSTED if too many forecasts wait. `done` may also be called by a
  // fitter.
  void ForecastRun(const v1::ForecastRunRequest& request,
                   std::function<void(absl::StatusOr<v1::ForecastRunResponse>)> done) const;

  // INVALID_ARGUMENT for a severity, page size or token that makes no sense; NOT_FOUND if one run is asked for and not
  // there.
  absl::StatusOr<v1::GetFlagsResponse> GetFlags(const v1::GetFlagsRequest& request) const;

  // A flag as it is once what was done is on disk and in every other answer. INVALID_ARGUMENT for a request that breaks
  // the rules of query.proto, NOT_FOUND for a flag that is not there. `done` as for GetCurve.
  void AcknowledgeFlag(const v1::AcknowledgeFlagRequest& request,
                       std::function<void(absl::StatusOr<v1::Flag>)> done) const;
  void SilenceFlag(const v1::SilenceFlagRequest& request, std::function<void(absl::StatusOr<v1::Flag>)> done) const;

  const BoardHolder& boards() const { return boards_; }

 private:
  void Handle(RunKey key, FlagHandled handled, std::function<void(absl::StatusOr<v1::Flag>)> done) const;

  const BoardHolder& boards_;
  Inbox& inbox_;
  FitPool& fitters_;
  Clock& clock_;
};

}  // namespace curvecast
