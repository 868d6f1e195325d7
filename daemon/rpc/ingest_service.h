#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <mutex>
#include <unordered_set>

#include "curvecast/v1/ingest.grpc.pb.h"
#include "daemon/rpc/ingest_stream.h"

namespace curvecast {

// Accepts Push streams, up to a limit, and can ask all of them to end.
class IngestService final : public v1::IngestService::CallbackService {
 public:
  struct Options {
    IngestStream::Options stream;
    size_t max_streams = 4096;
  };

  IngestService(Options options, Inbox& inbox, Clock& clock) : options_(options), inbox_(inbox), clock_(clock) {}

  grpc::ServerBidiReactor<v1::PushRequest, v1::PushResponse>* Push(grpc::CallbackServerContext* context) override;

  // Every stream ends with UNAVAILABLE as soon as what it has handed in is answered; new ones are refused.
  void Drain();
  size_t streams() const;

 private:
  const Options options_;
  Inbox& inbox_;
  Clock& clock_;
  mutable std::mutex mutex_;
  bool draining_ = false;
  std::unordered_set<IngestStream*> streams_;
};

}  // namespace curvecast
