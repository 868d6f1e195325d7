#include "daemon/rpc/ingest_stream.h"

#include <utility>

#include "daemon/rpc/batch_check.h"

namespace curvecast {

// Outlives the stream in the hands of the engine: once the stream is done, what is delivered goes nowhere.
class IngestStream::Sink final : public ReplySink {
 public:
  explicit Sink(IngestStream* stream) : stream_(stream) {}

  void Deliver(const Reply& reply) override {
    std::lock_guard lock(mutex_);
    if (stream_ != nullptr) stream_->Deliver(reply);
  }
  void RoomInInbox() {
    std::lock_guard lock(mutex_);
    if (stream_ != nullptr) stream_->Hand();
  }
  void Detach() {
    std::lock_guard lock(mutex_);
    stream_ = nullptr;
  }

 private:
  std::mutex mutex_;
  IngestStream* stream_;
};

namespace {

// "field: what is wrong" as the two fields of Rejected.
void Fill(v1::Rejected& rejected, uint64_t sequence, const absl::Status& status) {
  const std::string text(status.message());
  const size_t colon = text.find(": ");
  rejected.set_code(static_cast<int>(status.code()));
  rejected.set_sequence(sequence);
  if (colon != std::string::npos) rejected.set_field(text.substr(0, colon));
  rejected.set_message(colon == std::string::npos ? text : text.substr(colon + 2));
}

v1::PushResponse ToProto(const Reply& reply) {
  v1::PushResponse response;
  response.set_channel(reply.channel);
  if (const auto* opened = std::get_if<OpenedReply>(&reply.body)) {
    response.mutable_opened()->set_expected_sequence(opened->expected_sequence);
    if (opened->last_step) response.mutable_opened()->set_last_step(*opened->last_step);
  } else if (const auto* ack = std::get_if<AckReply>(&reply.body)) {
    response.mutable_ack()->set_sequence(ack->sequence);
  } else {
    const auto& rejected = std::get<RejectedReply>(reply.body);
    Fill(*response.mutable_rejected(), rejected.sequence, rejected.status);
  }
  return response;
}

}  // namespace

IngestStream::IngestStream(Options options, Inbox& inbox, Clock& clock, std::function<void(IngestStream*)> on_done)
    : options_(options),
      inbox_(inbox),
      clock_(clock),
      on_done_(std::move(on_done)),
      sink_(std::make_shared<Sink>(this)) {}

void IngestStream::Begin() {
  std::lock_guard lock(mutex_);
  ReadNext();
}

void IngestStream::ReadNext() {
  if (draining_ || finished_) return;  // What lies unread is resent to whoever comes next.
  read_held_back_ = responses_.size() >= options_.max_unwritten_responses;
  if (read_held_back_) return;
  arena_.Reset();
  request_ = google::protobuf::Arena::CreateMessage<v1::PushRequest>(&arena_);
  StartRead(request_);
}

void IngestStream::OnReadDone(bool ok) {
  if (!ok) {  // The client has said all it has to say, or is gone.
    std::lock_guard lock(mutex_);
    reading_ = false;
    FinishIfIdle();
    return;
  }
  if (!MakeEvent(handed_)) {
    std::lock_guard lock(mutex_);
    ReadNext();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    ++unanswered_;
  }
  Hand();
}

bool IngestStream::MakeEvent(Ingest& ingest) {
  ingest.event.time_unix_micros = clock_.NowUnixMicros();
  ingest.channel = request_->channel();
  ingest.sink = sink_;
  if (request_->channel() > options_.max_channel) {
    Refuse(0,
           absl::InvalidArgumentError("channel: is above 65535; number a stream's channels from 0 and use them again"));
    return false;
  }
  switch (request_->request_case()) {
    case v1::PushRequest::kOpen: {
      absl::StatusOr<RunOpened> opened = CheckOpen(request_->open());
      if (!opened.ok()) {
        channels_.erase(request_->channel());
        Refuse(0, opened.status());
        return false;
      }
      ingest.event.key = opened->spec.key;
      channels_[request_->channel()] = {opened->spec.key, opened->writer, opened->incarnation};
      ingest.event.body = *std::move(opened);
      return true;
    }
    case v1::PushRequest::kBatch: {
      auto channel = channels_.find(request_->channel());
      if (channel == channels_.end()) {
        Refuse(request_->batch().sequence(),
               absl::FailedPreconditionError("channel: is not open; send open on it first"));
        return false;
      }
      absl::StatusOr<BatchAppended> batch = CheckBatch(request_->batch(), options_.max_points_per_batch);
      if (!batch.ok()) {
        Refuse(request_->batch().sequence(), batch.status());
        return false;
      }
      ingest.event.key = channel->second.key;
      batch->writer = channel->second.writer;
      batch->incarnation = channel->second.incarnation;
      ingest.event.body = *std::move(batch);
      return true;
    }
    case v1::PushRequest::REQUEST_NOT_SET:
      break;
  }
  Refuse(0, absl::InvalidArgumentError("request: is empty or of a newer protocol; send open or batch"));
  return false;
}

void IngestStream::Hand() {
  switch (inbox_.Push(handed_, [sink = sink_] { sink->RoomInInbox(); })) {
    case Inbox::PushResult::kFull:
      return;
    case Inbox::PushResult::kTaken: {
      std::lock_guard lock(mutex_);
      ReadNext();
      return;
    }
    case Inbox::PushResult::kClosed: {
      std::lock_guard lock(mutex_);
      --unanswered_;
      draining_ = true;
      FinishIfIdle();
      return;
    }
  }
}

void IngestStream::Refuse(uint64_t sequence, const absl::Status& status) {
  v1::PushResponse response;
  response.set_channel(request_->channel());
  Fill(*response.mutable_rejected(), sequence, status);
  std::lock_guard lock(mutex_);
  Queue(std::move(response));
}

void IngestStream::Deliver(const Reply& reply) {
  std::lock_guard lock(mutex_);
  --unanswered_;
  Queue(ToProto(reply));
  if (const auto* ack = std::get_if<AckReply>(&reply.body); ack != nullptr && !ack->left_out.ok()) {
    Queue(ToProto({reply.channel, RejectedReply{ack->sequence, ack->left_out}}));
  }
  FinishIfIdle();
}

void IngestStream::Queue(v1::PushResponse response) {
  if (finished_) return;
  // Acknowledgements are cumulative: one that waits to be written takes up the next. The front one is being written.
  if (response.has_ack() && responses_.size() > (writing_ ? 1u : 0u) && responses_.back().has_ack() &&
      responses_.back().channel() == response.channel()) {
    responses_.back() = std::move(response);
    return;
  }
  responses_.push_back(std::move(response));
  WriteNext();
}

void IngestStream::WriteNext() {
  if (writing_ || finished_ || responses_.empty()) return;
  writing_ = true;
  StartWrite(&responses_.front());
}

void IngestStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!responses_.empty()) responses_.pop_front();
  if (!ok) responses_.clear();  // The client is gone; OnCancel or the read side ends the stream.
  WriteNext();
  if (read_held_back_ && responses_.size() <= options_.max_unwritten_responses / 2) ReadNext();
  FinishIfIdle();
}

void IngestStream::Drain() {
  std::lock_guard lock(mutex_);
  draining_ = true;
  FinishIfIdle();
}

void IngestStream::FinishIfIdle() {
  if (finished_ || writing_ || !responses_.empty() || unanswered_ > 0) return;
  if (reading_ && !draining_) return;
  finished_ = true;
  if (draining_) {
    Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                        "the daemon is stopping; reconnect and resend what was not acknowledged"));
  } else {
    Finish(grpc::Status::OK);
  }
}

void IngestStream::OnCancel() {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  Finish(grpc::Status::CANCELLED);
}

void IngestStream::OnDone() {
  inbox_.Forget(sink_.get());
  sink_->Detach();
  on_done_(this);
  delete this;
}

}  // namespace curvecast
