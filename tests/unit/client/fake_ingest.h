#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "curvecast/v1/ingest.grpc.pb.h"

namespace curvecast {

// An ingest service in this process, which a test makes misbehave. By default it takes everything, as the daemon does.
class FakeIngest : public v1::IngestService::Service {
 public:
  // What to do with the request, which is the nth (from 0) of the cth stream (from 0).
  enum class Answer { kTake, kTakeInPart, kTakeSilently, kBreakStream, kIgnore };
  struct Reply {
    Answer answer = Answer::kTake;
    std::optional<v1::Rejected> rejected;  // Sent instead of the ack, and nothing is kept; with kTakeInPart, after it.
    std::optional<uint64_t> expected;      // Sent in Opened instead of what is true.
  };
  using Script = std::function<Reply(int stream, int nth, const v1::PushRequest& request)>;

  explicit FakeIngest(Script script = nullptr, int port = 0);
  ~FakeIngest() override;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  // Waits until `done` holds of what has arrived; false after a generous time.
  struct Received {
    std::vector<v1::Open> opens;
    std::vector<v1::Batch> batches;  // Taken, each once.
    int streams = 0;
    std::vector<std::string> peers;  // The other end of each stream.
  };
  bool WaitFor(const std::function<bool(const Received&)>& done);
  Received received();
  // Of the metric, in all batches taken.
  static std::vector<int64_t> Steps(const Received& received, const std::string& metric);

  grpc::Status Push(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::PushResponse, v1::PushRequest>* stream) override;

 private:
  const Script script_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  Received received_;
  uint64_t incarnation_ = 0;
  uint64_t last_sequence_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace curvecast
