#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client/cpp/backoff.h"
#include "client/cpp/batcher.h"
#include "client/cpp/point_buffer.h"
#include "curvecast/v1/ingest.grpc.pb.h"

namespace curvecast {

struct LinkOptions {
  std::string address;  // As ToEndpoint takes it.
  std::string writer;
  uint64_t first_incarnation = 1;
  std::optional<int64_t> resume_step;  // Of the first incarnation.
  Batcher::Limits limits;
  std::chrono::milliseconds flush_interval{200};
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds last_backoff{10000};
  // Batches are out and nothing has come back for so long: the stream counts as broken, and its connection with it.
  std::chrono::milliseconds answer_timeout{15000};
  std::function<void(const std::string&)> warn;  // Called by the link's thread, seldom.
};

// One run's stream to the daemon: opens it, sends what the buffer holds, and opens it again when it breaks. It has one
// thread, on which everything private runs; that thread alone waits for the network.
class Link {
 public:
  Link(v1::Run run, LinkOptions options, PointBuffer& buffer);
  ~Link();  // Stops at once; what is unsent stays unsent.
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // From now on: send what is left (the buffer is closed), then the end if there is one.
  void Close(std::optional<v1::Run::State> end);
  // Waits until all is settled, or the link gave up, or the time is over. True if the daemon has everything, the end
  // included.
  bool WaitUntilSettled(std::chrono::milliseconds timeout);

  // True if nothing more will happen: all is sent after Close, or the link gave up.
  bool settled() const;

  struct Counts {
    uint64_t acknowledged = 0;
    uint64_t refused = 0;
    uint64_t reconnects = 0;
  };
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase {
    kWaiting,   // For retry_at_.
    kStarting,  // The call is being set up.
    kOpening,   // Open is sent; Opened has not come.
    kOpen,      // Batches flow.
    kBroken,    // The stream is over; its last events are being collected.
    kGaveUp,    // The daemon will never take this run.
  };
  enum class Event : intptr_t { kStarted = 1, kRead, kWritten, kFinished };

  // One call, with a connection of its own, and what is under way on it.
  struct Call {
    std::unique_ptr<v1::IngestService::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::PushRequest, v1::PushResponse>> stream;
    v1::PushResponse response;
    grpc::Status status;
    bool reading = false;
    bool writing = false;
    bool finishing = false;
  };

  void Work();
  bool Stopping() const;
  void HandleNext();
  bool Over() const { return phase_ == Phase::kBroken || phase_ == Phase::kGaveUp; }
  void Handle(Event event, bool ok);
  void Advance(Clock::time_point now);
  void StartCall();
  void SendOpen();
  void Send();
  void Write(const v1::PushRequest& request);
  void OnResponse(const v1::PushResponse& response);
  void OnOpened(const v1::Opened& opened);
  void OnRejected(const v1::Rejected& rejected);
  void Break();
  void OnFinished();
  void Wait(const std::string& why);  // Until the next attempt.
  void GiveUp(const std::string& why);
  void CollectLastEvents();
  void FillBatches(Clock::time_point now);
  void Settle(size_t acknowledged, size_t refused);
  void TellIfSettled();
  void WarnAway(const std::string& why);
  void WarnRefused(const std::string& what);

  const v1::Run run_;
  const LinkOptions options_;
  PointBuffer& buffer_;
  grpc::CompletionQueue queue_;

  // The thread's own.
  Phase phase_ = Phase::kWaiting;
  std::unique_ptr<Call> call_;
  Batcher batcher_;
  Backoff backoff_;
  uint32_t channel_ = 0;   // Of the current life, on the current stream.
  bool open_due_ = false;  // A new life began, which this stream has not opened.
  bool end_queued_ = false;
  bool ever_opened_ = false;
  int failures_ = 0;  // Since the last Opened.
  bool warned_away_ = false;
  bool warned_refused_ = false;
  Clock::time_point retry_at_;
  Clock::time_point last_fill_;
  Clock::time_point last_answer_;

  // Shared with the job's threads.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Counts counts_;
  bool stop_ = false;
  bool closed_ = false;
  std::optional<v1::Run::State> end_;
  bool settled_ = false;    // Nothing more will happen.
  bool delivered_ = false;  // And the daemon has it all.

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace curvecast
