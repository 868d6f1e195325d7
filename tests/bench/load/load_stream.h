#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "client/cpp/endpoint.h"
#include "curvecast/v1/ingest.grpc.pb.h"

namespace curvecast {

// One Push stream of the load: it opens its runs, then sends batches of them in turn, each point of a metric at a step
// of its own, with at most `window` batches unacknowledged. gRPC calls it from its threads.
class LoadStream final : public grpc::ClientBidiReactor<v1::PushRequest, v1::PushResponse> {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    Endpoint endpoint;
    std::vector<std::string> run_ids;
    int points_per_batch = 128;
    int metrics = 1;  // Columns of a batch, the objective first; they share the points equally.
    size_t window = 32;
    int64_t total_steps = 10'000'000;
    int64_t first_step = 0;
    uint64_t incarnation = 1;
    bool paced = false;  // Sends only what is offered; otherwise as fast as the window allows.
  };
  struct SentRun {
    std::string run_id;
    uint64_t sent = 0;  // Batches.
    uint64_t acknowledged = 0;
  };

  explicit LoadStream(Options options);

  void Start();          // Opens the runs.
  bool WaitUntilOpen();  // False if the stream broke.
  void Go();             // The load begins.
  // One batch more, due at `due`: its acknowledgement is timed from then, however late it could be sent.
  void Offer(Clock::time_point due);
  void Stop();  // No more batches; ends the stream once all are acknowledged.
  // Until the stream has ended, or that long.
  grpc::Status WaitUntilDone(std::chrono::seconds timeout);
  // Tears the stream down if it has not ended.
  void Cancel();

  // After the stream has ended.
  const std::vector<SentRun>& runs() const { return runs_; }
  // Of each acknowledged batch, in microseconds.
  const std::vector<uint32_t>& acknowledged_after() const { return acknowledged_after_; }
  const std::string& refusal() const { return refusal_; }

  uint64_t acknowledged_batches();

 private:
  struct Waiting {  // Sent, not acknowledged.
    uint64_t sequence;
    Clock::time_point since;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  // With mutex_ held.
  void SendNext();
  void WriteOpen();
  void WriteBatch(Clock::time_point since);
  void Acknowledge(uint32_t channel, uint64_t sequence);

  const Options options_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  grpc::ClientContext context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  v1::PushRequest open_, batch_;
  v1::PushResponse response_;
  std::vector<SentRun> runs_;                 // By channel.
  std::vector<std::deque<Waiting>> waiting_;  // By channel.
  std::deque<Clock::time_point> offered_;
  std::vector<uint32_t> acknowledged_after_;
  std::string refusal_;
  size_t opens_sent_ = 0, opened_ = 0;
  size_t next_run_ = 0;
  size_t unacknowledged_ = 0;
  uint64_t acknowledged_ = 0;
  bool writing_ = false, going_ = false, stopping_ = false, writes_done_ = false, done_ = false;
  grpc::Status status_;
};

}  // namespace curvecast
