#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "core/ports/clock.h"
#include "curvecast/v1/ingest.pb.h"
#include "daemon/loop/inbox.h"

namespace curvecast {

// One Push stream. It reads a message, checks it, hands it to the inbox, and reads the next; a full inbox leaves it
// unread, and gRPC's flow control slows the client. The engine's answers are queued and written one by one.
//
// Lifetime: gRPC owns it and ends it with OnDone. The engine holds only its sink, which outlives it.
class IngestStream final : public grpc::ServerBidiReactor<v1::PushRequest, v1::PushResponse> {
 public:
  struct Options {
    int64_t max_points_per_batch = 16384;
    uint32_t max_channel = 65535;
    size_t max_unwritten_responses = 4096;  // Past it nothing is read: the client does not listen.
  };

  // `on_done` is called last, when the stream is over.
  IngestStream(Options options, Inbox& inbox, Clock& clock, std::function<void(IngestStream*)> on_done);

  void Begin();  // Starts reading.
  void Drain();  // Reads no more; ends with UNAVAILABLE once everything taken is answered. Any thread.

 private:
  class Sink;
  struct Channel {
    RunKey key;
    std::string writer;
    uint64_t incarnation = 0;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  bool MakeEvent(Ingest& ingest);  // False if the message was refused; the answer is queued then.
  void Hand();                     // Puts handed_ into the inbox, or waits for room.
  void Refuse(uint64_t sequence, const absl::Status& status);
  void Deliver(const Reply& reply);  // By the engine's thread, through the sink.

  // With mutex_ held.
  void ReadNext();
  void Queue(v1::PushResponse response);
  void WriteNext();
  void FinishIfIdle();

  const Options options_;
  Inbox& inbox_;
  Clock& clock_;
  const std::function<void(IngestStream*)> on_done_;
  const std::shared_ptr<Sink> sink_;

  google::protobuf::Arena arena_;                    // Of the read side alone: of one message, emptied before the next.
  v1::PushRequest* request_ = nullptr;               // Likewise, in arena_.
  absl::flat_hash_map<uint32_t, Channel> channels_;  // Likewise.
  Ingest handed_;                                    // Likewise: on its way into the inbox.

  std::mutex mutex_;
  std::deque<v1::PushResponse> responses_;  // Acknowledgements of one channel in a row are merged.
  bool writing_ = false;
  bool reading_ = true;
  bool read_held_back_ = false;  // Because of max_unwritten_responses.
  bool draining_ = false;
  bool finished_ = false;
  int64_t unanswered_ = 0;  // Taken by the inbox, not yet answered.
};

}  // namespace curvecast
