#include "client/cpp/link.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "client/cpp/endpoint.h"

namespace curvecast {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t kMaxChannel = 65535;

// A channel for one call. gRPC would otherwise share connections between channels, and a connection to a lost host
// looks alive for many minutes. The link's own backoff decides when to try again.
std::shared_ptr<grpc::Channel> Connect(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return endpoint.Connect(arguments);
}

}  // namespace

Link::Link(v1::Run run, LinkOptions options, PointBuffer& buffer)
    : run_(std::move(run)),
      options_(std::move(options)),
      buffer_(buffer),
      batcher_(options_.first_incarnation, options_.resume_step, options_.limits),
      backoff_(options_.first_backoff, options_.last_backoff, static_cast<uint32_t>(options_.first_incarnation)),
      thread_([this] { Work(); }) {}

Link::~Link() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

void Link::Close(std::optional<v1::Run::State> end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  end_ = end;
}

bool Link::WaitUntilSettled(milliseconds timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return settled_; });
  return delivered_;
}

bool Link::settled() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return settled_;
}

Link::Counts Link::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

void Link::Work() {
  try {
    while (!Stopping()) {
      HandleNext();
      Advance(Clock::now());
    }
    CollectLastEvents();
  } catch (const std::exception&) {  // Out of memory. The job must not die of its reporter.
    buffer_.Close();
    const std::lock_guard<std::mutex> lock(mutex_);
    settled_ = true;
    changed_.notify_all();
  }
}

bool Link::Stopping() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stop_;
}

void Link::HandleNext() {
  // Often enough for the flush interval and for a prompt Finish, seldom enough to cost nothing.
  const milliseconds tick = std::clamp(options_.flush_interval / 4, milliseconds(2), milliseconds(25));
  void* tag = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + tick) == grpc::CompletionQueue::GOT_EVENT) {
    Handle(static_cast<Event>(reinterpret_cast<intptr_t>(tag)), ok);
  }
}

void Link::Advance(Clock::time_point now) {
  const bool overdue = now - last_answer_ > options_.answer_timeout;
  switch (phase_) {
    case Phase::kWaiting:
      if (now >= retry_at_) StartCall();
      break;
    case Phase::kStarting:
    case Phase::kOpening:
      if (overdue) Break();
      break;
    case Phase::kOpen:
      FillBatches(now);
      if (!call_->writing) Send();
      if (phase_ == Phase::kOpen && !batcher_.settled() && overdue) Break();
      break;
    case Phase::kBroken:
      break;
    case Phase::kGaveUp:
      buffer_.Discard();
      break;
  }
  TellIfSettled();
}

// --- The call ---

void Link::StartCall() {
  const absl::StatusOr<Endpoint> endpoint = ToEndpoint(options_.address);
  if (!endpoint.ok()) return Wait(std::string(endpoint.status().message()));  // A file may still come.
  call_ = std::make_unique<Call>();
  call_->stub = v1::IngestService::NewStub(Connect(*endpoint));
  call_->stream = call_->stub->PrepareAsyncPush(&call_->context, &queue_);
  call_->writing = true;  // The start is answered as a write is.
  call_->stream->StartCall(reinterpret_cast<void*>(Event::kStarted));
  channel_ = 0;
  open_due_ = false;  // SendOpen names the current life.
  batcher_.ForgetSent();
  last_answer_ = Clock::now();
  phase_ = Phase::kStarting;
}

void Link::SendOpen() {
  if (channel_ >= kMaxChannel) return Break();
  v1::PushRequest request;
  request.set_channel(++channel_);
  *request.mutable_open()->mutable_run() = run_;
  request.mutable_open()->set_writer(options_.writer);
  request.mutable_open()->set_incarnation(batcher_.incarnation());
  if (batcher_.resume_step().has_value()) request.mutable_open()->set_resume_step(*batcher_.resume_step());
  last_answer_ = Clock::now();
  open_due_ = false;
  phase_ = Phase::kOpening;
  Write(request);
}

void Link::Write(const v1::PushRequest& request) {
  call_->writing = true;
  call_->stream->Write(request, reinterpret_cast<void*>(Event::kWritten));
}

void Link::Send() {
  if (open_due_) return SendOpen();
  const v1::Batch* batch = batcher_.NextToSend();
  if (batch == nullptr) return;
  v1::PushRequest request;
  request.set_channel(channel_);
  *request.mutable_batch() = *batch;
  Write(request);
}

void Link::Handle(Event event, bool ok) {
  switch (event) {
    case Event::kStarted:
      call_->writing = false;
      if (!ok || phase_ != Phase::kStarting) return Break();
      call_->reading = true;
      call_->stream->Read(&call_->response, reinterpret_cast<void*>(Event::kRead));
      return SendOpen();
    case Event::kWritten:
      call_->writing = false;
      if (!ok || Over()) return Break();
      return;
    case Event::kRead:
      call_->reading = false;
      if (!ok || Over()) return Break();
      last_answer_ = Clock::now();
      OnResponse(call_->response);
      if (Over()) return Break();
      call_->reading = true;
      call_->stream->Read(&call_->response, reinterpret_cast<void*>(Event::kRead));
      return;
    case Event::kFinished:
      return OnFinished();
  }
}

// Ends the call; may be called again for each event that is still to come. Finish is asked for when there is none.
void Link::Break() {
  if (phase_ != Phase::kGaveUp) phase_ = Phase::kBroken;
  if (call_->finishing) return;
  call_->context.TryCancel();
  if (call_->reading || call_->writing) return;
  call_->finishing = true;
  call_->stream->Finish(&call_->status, reinterpret_cast<void*>(Event::kFinished));
}

void Link::OnFinished() {
  const grpc::Status status = call_->status;
  call_.reset();
  if (phase_ == Phase::kGaveUp || Stopping()) return;
  Wait(status.error_message());
}

void Link::Wait(const std::string& why) {
  phase_ = Phase::kWaiting;
  retry_at_ = Clock::now() + backoff_.Next();
  ++failures_;
  // A stream that breaks once and comes back at the first attempt is nobody's business.
  if (!ever_opened_ || failures_ > 1) WarnAway(why);
}

void Link::CollectLastEvents() {
  if (call_ != nullptr) {
    Break();
    void* tag = nullptr;
    bool ok = false;
    while (call_ != nullptr && queue_.Next(&tag, &ok)) {
      Handle(static_cast<Event>(reinterpret_cast<intptr_t>(tag)), ok);
    }
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

// --- What the daemon says ---

void Link::OnResponse(const v1::PushResponse& response) {
  if (response.channel() != channel_) return;  // Of a life that is settled.
  switch (response.response_case()) {
    case v1::PushResponse::kOpened:
      return OnOpened(response.opened());
    case v1::PushResponse::kAck:
      backoff_.Reset();
      return Settle(batcher_.Acknowledged(response.ack().sequence()), 0);
    case v1::PushResponse::kRejected:
      return OnRejected(response.rejected());
    case v1::PushResponse::RESPONSE_NOT_SET:
      return;  // Of a newer daemon; nothing that we asked for.
  }
}

void Link::OnOpened(const v1::Opened& opened) {
  Settle(batcher_.Opened(opened.expected_sequence()), 0);
  phase_ = Phase::kOpen;
  backoff_.Reset();
  failures_ = 0;
  if (warned_away_) {
    const uint64_t thinned = buffer_.counts().thinned;
    options_.warn("curvecastd at " + options_.address + " is back; sending what waited" +
                  (thinned == 0 ? "" : ", less " + std::to_string(thinned) + " points that there was no room for"));
  }
  warned_away_ = false;
  if (ever_opened_ && channel_ == 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++counts_.reconnects;
  }
  ever_opened_ = true;
}

void Link::OnRejected(const v1::Rejected& rejected) {
  const bool is_open = rejected.sequence() == 0;
  const std::string what = (rejected.field().empty() ? "" : rejected.field() + ": ") + rejected.message();
  switch (rejected.code()) {
    case grpc::FAILED_PRECONDITION:
      if (is_open) return GiveUp("a newer process has taken over the run; this one reports no more: " + what);
      return Break();  // The next open tells whether that is for good.
    case grpc::INVALID_ARGUMENT:
      if (is_open) return GiveUp("curvecastd refuses the run: " + what);
      WarnRefused("curvecastd refused a batch, which is dropped: " + what);
      return Settle(0, batcher_.Refused(rejected.sequence()));
    case grpc::RESOURCE_EXHAUSTED:
      if (is_open) {
        WarnAway(what);
        return Break();
      }
      // The batch was acknowledged before this, and only the metrics past a limit were left out; or it is over.
      WarnRefused("curvecastd has met a limit: " + what);
      return Settle(0, batcher_.Refused(rejected.sequence()));
    default:
      return Break();
  }
}

void Link::GiveUp(const std::string& why) {
  options_.warn(why);
  phase_ = Phase::kGaveUp;
  buffer_.Close();
  buffer_.Discard();
  Settle(0, batcher_.GiveUp());
  Break();
}

// --- Bookkeeping ---

void Link::FillBatches(Clock::time_point now) {
  bool closed = false;
  std::optional<v1::Run::State> end;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed = closed_;
    end = end_;
  }
  const bool due = now - last_fill_ >= options_.flush_interval;
  if (due || closed || buffer_.size() >= batcher_.limits().max_points_per_batch) {
    last_fill_ = now;
    if (batcher_.settled()) last_answer_ = now;  // The wait for an answer starts with the next batch.
    open_due_ |= batcher_.Fill(buffer_);
  }
  if (closed && end.has_value() && !end_queued_ && buffer_.empty()) {
    batcher_.QueueEnd(*end);
    end_queued_ = true;
  }
}

void Link::Settle(size_t acknowledged, size_t refused) {
  const std::lock_guard<std::mutex> lock(mutex_);
  counts_.acknowledged += acknowledged;
  counts_.refused += refused;
}

void Link::TellIfSettled() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (settled_) return;
  const bool empty = closed_ && batcher_.settled() && buffer_.empty() && (!end_.has_value() || end_queued_);
  if (phase_ != Phase::kGaveUp && !empty) return;
  settled_ = true;
  delivered_ = empty && phase_ != Phase::kGaveUp && (!end_.has_value() || batcher_.end_acknowledged());
  changed_.notify_all();
}

void Link::WarnRefused(const std::string& what) {
  if (!std::exchange(warned_refused_, true)) options_.warn(what);
}

void Link::WarnAway(const std::string& why) {
  if (warned_away_) return;
  warned_away_ = true;
  options_.warn("cannot reach curvecastd at " + options_.address + " (" + why +
                "); training goes on, points wait here and are sent when it is back");
}

}  // namespace curvecast
