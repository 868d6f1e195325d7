#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>

#include "core/ports/clock.h"
#include "curvecast/v1/query.pb.h"
#include "daemon/loop/board_holder.h"

namespace curvecast {

// One WatchRuns stream: sends the runs that differ between the board it last sent and the newest. A client that reads
// slowly skips boards; it costs one board and one message, never a queue.
class WatchStream final : public grpc::ServerWriteReactor<v1::WatchRunsResponse> {
 public:
  static constexpr int kMaxRunsPerMessage = 256;

  WatchStream(v1::WatchRunsRequest request, BoardHolder& boards, Clock& clock);

  void Begin();

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // With mutex_ held.
  void SendChanges();
  void Collect();
  bool Matches(const RunView& run) const;

  const v1::WatchRunsRequest request_;
  BoardHolder& boards_;
  Clock& clock_;
  uint64_t subscription_ = 0;

  std::mutex mutex_;
  std::shared_ptr<const Board> newest_;
  std::shared_ptr<const Board> sent_;  // All of it that matches has been sent.
  size_t next_ = 0;                    // Index into sending_: what lies before it is sent.
  std::shared_ptr<const Board> sending_;
  v1::WatchRunsResponse response_;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace curvecast
