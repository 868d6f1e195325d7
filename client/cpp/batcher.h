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
  static constexpr size_t kMaxPointsPerBatch = 16384;  // See Batch in ingest.proto: past it the daemon refuses.

  struct Limits {
    size_t max_points_per_batch = 1024;  // Taken as 1 to kMaxPointsPerBatch.
    size_t max_unsettled_batches = 64;   // Past it points stay in the buffer.
  };
  // `resume_step`: of the first life, if that is known.
  Batcher(uint64_t first_incarnation, std::optional<int64_t> resume_step, Limits limits);

  const Limits& limits() const { return limits_; }
  uint64_t incarnation() const { return incarnation_; }
  std::optional<int64_t> resume_step() const { return resume_step_; }

  // Makes batches of what the buffer holds, a phase with the last of them or alone. True if that began a new life,
  // which must be opened first.
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

  bool settled() const { return pending_.empty(); }
  bool end_acknowledged() const { return end_acknowledged_; }

 private:
  struct Pending {
    v1::Batch batch;
    size_t points = 0;
    bool sent = false;
  };
  bool BeginLifeIfTold(const LoggedPoint& first);
  void Queue(Pending pending);
  size_t SettleThrough(uint64_t sequence);

  const Limits limits_;
  uint64_t incarnation_;
  std::optional<int64_t> resume_step_;
  uint64_t next_sequence_ = 1;
  bool life_has_points_ = false;  // In any of its batches, settled ones included.
  std::deque<Pending> pending_;   // By sequence.
  bool end_acknowledged_ = false;
};

}  // namespace curvecast
