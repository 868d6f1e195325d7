#include "daemon/rpc/ingest_service.h"

#include <string>

namespace curvecast {
namespace {

// A stream that is refused before its first message.
class Refusal final : public grpc::ServerBidiReactor<v1::PushRequest, v1::PushResponse> {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerBidiReactor<v1::PushRequest, v1::PushResponse>* IngestService::Push(grpc::CallbackServerContext*) {
  std::lock_guard lock(mutex_);
  if (draining_) return new Refusal(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the daemon is stopping; reconnect"));
  if (streams_.size() >= options_.max_streams) {
    return new Refusal(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                    "max_streams: " + std::to_string(options_.max_streams) +
                                        " streams are open already; raise limits.max_streams or share streams"));
  }
  auto* stream = new IngestStream(options_.stream, inbox_, clock_, [this](IngestStream* done) {
    std::lock_guard done_lock(mutex_);
    streams_.erase(done);
  });
  streams_.insert(stream);
  stream->Begin();
  return stream;
}

void IngestService::Drain() {
  std::lock_guard lock(mutex_);
  draining_ = true;
  for (IngestStream* stream : streams_) stream->Drain();
}

size_t IngestService::streams() const {
  std::lock_guard lock(mutex_);
  return streams_.size();
}

}  // namespace curvecast
