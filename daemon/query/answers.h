#pragma once

#include <functional>

#include "absl/status/statusor.h"
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

  Answers(const BoardHolder& boards, Inbox& inbox, FitPool& fitters)
      : boards_(boards), inbox_(inbox), fitters_(fitters) {}

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

  const BoardHolder& boards() const { return boards_; }

 private:
  const BoardHolder& boards_;
  Inbox& inbox_;
  FitPool& fitters_;
};

}  // namespace curvecast
