#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "client/cpp/point_buffer.h"
#include "curvecast/v1/ingest.pb.h"

namespace curvecast {

// Numbers a writer's batches and keeps each until the daemon has it. It knows the protocol of ingest.proto, no network
// and no time; the link's thread owns it.
//
// A life is one incarnation. The next one starts only when every batch of this one is settled, so that no old point
// arrives after the rewind.
class Batcher {
 public:
  struct Limits {
    size_t max_points_per_batch = 1024;
    size_t max_unsettled_batches = 64;  // Past it points stay in the buffer.
  };
  Batcher(uint64_t first_incarnation, Limits limits);

  uint64_t incarnation() const { return incarnation_; }
  std::optional<int64_t> resume_step() const { return resume_step_; }

  // Makes batches of what the buffer holds. True if that began a new life, which must be opened first.
  bool Fill(PointBuffer& buffer);
  // Adds a last batch that says how the run ended.
  void QueueEnd(v1::Run::State state);

  // The first batch that this stream has not carried, counted as carried from now on; null if there is none.
  const v1::Batch* NextToSend();
  // A new stream has carried nothing.
  void ForgetSent();

  // These return the number of points that were settled: on the daemon's disk, or given up.
  size_t Opened(uint64_t expected_sequence);
  size_t Acknowledged(uint64_t sequence);
  size_t Refused(uint64_t sequence);  // This one batch, for good.
  size_t GiveUp();                    // All.
  // The daemon could not take this batch now: it goes to the end under a new number, since the old one is used up. A
  // batch that others overtook kMaxOvertaken times is given up: it meets a limit of its own, such as that on metrics,
  // not a full disk.
  size_t Postpone(uint64_t sequence);
  static constexpr int kMaxOvertaken = 3;

  bool settled() const { return pending_.empty(); }
  bool end_acknowledged() const { return end_acknowledged_; }

 private:
  struct Pending {
    v1::Batch batch;
    size_t points = 0;
    bool sent = false;
    int overtaken = 0;               // Postponements between which another batch was acknowledged.
    uint64_t acknowledged_then = 0;  // acknowledged_ at the last of them.
  };
  void Queue(Pending pending);
  size_t SettleThrough(uint64_t sequence);

  const Limits limits_;
  uint64_t incarnation_;
  std::optional<int64_t> resume_step_;
  uint64_t next_sequence_ = 1;
  std::deque<Pending> pending_;  // By sequence.
  uint64_t acknowledged_ = 0;    // Batches.
  bool end_acknowledged_ = false;
};

}  // namespace curvecast
