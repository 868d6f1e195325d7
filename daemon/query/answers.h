#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "curvecast/v1/query.pb.h"
#include "daemon/loop/board_holder.h"
#include "daemon/loop/inbox.h"

namespace curvecast {

// Answers the questions of query.proto, without a transport: gRPC and HTTP serve the same. Any thread.
class Answers {
 public:
  static constexpr int kDefaultPageSize = 1000;
  static constexpr int kMaxPageSize = 10000;

  Answers(const BoardHolder& boards, Inbox& inbox) : boards_(boards), inbox_(inbox) {}

  // INVALID_ARGUMENT for a page size or token that makes no sense; UNAVAILABLE while the journal is being replayed.
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) const;

  // NOT_FOUND if there is no such run; UNAVAILABLE while the journal is being replayed.
  absl::StatusOr<v1::GetRunResponse> GetRun(const v1::GetRunRequest& request) const;

  // Likewise. `done` is called once, on the engine's thread or on this one; it must not block.
  void GetCurve(const v1::GetCurveRequest& request,
                std::function<void(absl::StatusOr<v1::GetCurveResponse>)> done) const;

  const BoardHolder& boards() const { return boards_; }

 private:
  const BoardHolder& boards_;
  Inbox& inbox_;
};

}  // namespace curvecast
