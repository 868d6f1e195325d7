#include "tests/unit/client/fake_ingest.h"

#include <chrono>
#include <utility>

namespace curvecast {

FakeIngest::FakeIngest(Script script, int port) : script_(std::move(script)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeIngest::~FakeIngest() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
}

bool FakeIngest::WaitFor(const std::function<bool(const Received&)>& done) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return done(received_); });
}

FakeIngest::Received FakeIngest::received() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return received_;
}

std::vector<int64_t> FakeIngest::Steps(const Received& received, const std::string& metric) {
  std::vector<int64_t> steps;
  for (const v1::Batch& batch : received.batches) {
    for (const v1::Points& points : batch.points()) {
      if (points.metric() == metric) steps.insert(steps.end(), points.step().begin(), points.step().end());
    }
  }
  return steps;
}

grpc::Status FakeIngest::Push(grpc::ServerContext* context,
                              grpc::ServerReaderWriter<v1::PushResponse, v1::PushRequest>* stream) {
  int number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    number = received_.streams++;
    received_.peers.push_back(context->peer());
    changed_.notify_all();
  }
  v1::PushRequest request;
  for (int nth = 0; stream->Read(&request); ++nth) {
    const Reply reply = script_ != nullptr ? script_(number, nth, request) : Reply{};
    v1::PushResponse response;
    response.set_channel(request.channel());
    const bool refuse = reply.rejected.has_value() && reply.answer != Answer::kTakeInPart;
    if (refuse) *response.mutable_rejected() = *reply.rejected;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const bool keep = reply.answer != Answer::kIgnore && !refuse;
      if (request.has_open() && keep) {
        received_.opens.push_back(request.open());
        if (request.open().incarnation() != incarnation_) last_sequence_ = 0;
        incarnation_ = request.open().incarnation();
        response.mutable_opened()->set_expected_sequence(reply.expected.value_or(last_sequence_ + 1));
      }
      if (request.has_batch() && keep) {
        if (request.batch().sequence() > last_sequence_) {
          last_sequence_ = request.batch().sequence();
          received_.batches.push_back(request.batch());
        }
        response.mutable_ack()->set_sequence(request.batch().sequence());
      }
      changed_.notify_all();
    }
    if (reply.answer == Answer::kBreakStream) return {grpc::StatusCode::UNAVAILABLE, "broken by the test"};
    if (reply.answer == Answer::kTakeSilently) continue;
    if (reply.answer == Answer::kIgnore && !refuse) continue;
    stream->Write(response);
    if (reply.answer == Answer::kTakeInPart && reply.rejected.has_value()) {
      *response.mutable_rejected() = *reply.rejected;
      stream->Write(response);
    }
  }
  return grpc::Status::OK;
}

}  // namespace curvecast
