#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/engine/event.h"

namespace curvecast {

// What a client has handed to one connection: the daemon takes it from the front, after the client has gone as well.
struct SimStream {
  std::deque<Event> sent;
};

// One writer of one run as a reporter is: it opens, sends numbered batches, and resends what is not acknowledged on a
// new stream; its job goes on, logs NaN, goes back to a checkpoint as a new incarnation, ends. Which of it when, the
// seed says.
class SimClient {
 public:
  SimClient(RunKey key, std::string writer, uint64_t seed)
      : key_(std::move(key)), writer_(std::move(writer)), random_(seed) {}

  // One thing that a job or its connection does. Streams that it leaves are gone on by the network, or cut.
  void Act(int64_t now);
  // Peace: connects if it must, and sends what is not acknowledged.
  void SendAll(int64_t now);
  void LoseStream();  // The daemon is gone.
  bool settled() const { return refused_ || acknowledged_ == batches_.size(); }

  // For answers on `stream`: ignored if that is not the client's any more. False: they contradict what was promised.
  bool TakeOpened(const SimStream* stream, uint64_t expected, bool evicted);
  void TakeAck(const SimStream* stream, uint64_t sequence);
  void TakeRejected(const SimStream* stream, const absl::Status& status);

  const std::shared_ptr<SimStream>& stream() const { return stream_; }
  const RunKey& key() const { return key_; }
  const std::string& writer() const { return writer_; }
  // By incarnation: the highest sequence that was acknowledged.
  const std::map<uint64_t, uint64_t>& promised() const { return promised_; }
  bool refused() const { return refused_; }

 private:
  void Connect(int64_t now);
  void MakeBatch(int64_t now);
  void SendNext();
  void DieAndResume();
  Event Make(int64_t now, BatchAppended batch) const;

  const RunKey key_;
  const std::string writer_;
  std::mt19937_64 random_;
  std::shared_ptr<SimStream> stream_;
  bool open_ = false;     // The stream's open was answered.
  bool refused_ = false;  // Past max_runs; it gives up.
  bool over_ = false;     // Its job has ended.
  uint64_t incarnation_ = 1;
  std::optional<Step> resume_step_;
  std::vector<Event> batches_;  // Of this incarnation: sequence n at n - 1.
  uint64_t next_ = 1;           // To be sent on this stream.
  uint64_t acknowledged_ = 0;
  Step step_ = 0;
  int points_left_ = 160;  // So few that no curve merges its bins.
  int non_finite_left_ = 8;
  std::map<uint64_t, uint64_t> promised_;
};

}  // namespace curvecast
