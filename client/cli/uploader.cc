#include "client/cli/uploader.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "client/cli/daemon_client.h"
#include "client/cli/replay.h"
#include "client/cpp/endpoint.h"
#include "curvecast/v1/ingest.grpc.pb.h"

namespace curvecast {
namespace {

constexpr uint32_t kMaxChannel = 65535;
constexpr std::string_view kOpenPrefix = "open.";

uint64_t NowUnixMicros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

size_t CountPoints(const v1::Batch& batch) {
  size_t points = 0;
  for (const v1::Points& column : batch.points()) points += static_cast<size_t>(column.step_size());
  return points;
}

}  // namespace

// Send() writes; a thread of its own reads the answers.
class Uploader::Stream {
 public:
  Stream(const std::string& address, const Endpoint& endpoint)
      : address_(address),
        stub_(v1::IngestService::NewStub(endpoint.Connect({}))),
        stream_(stub_->Push(&context_)),
        reader_([this] { Read(); }) {}

  ~Stream() {
    context_.TryCancel();
    reader_.join();
    if (!finished_) stream_->Finish();
  }

  absl::Status Send(const ReadRun& run, const std::string& source) {
    const std::vector<ReplayLife> lives = ToReplay(run, kMaxPointsPerBatch);
    const uint64_t incarnation = NowUnixMicros();
    for (size_t life = 0; life < lives.size(); ++life) {
      v1::PushRequest open;
      *open.mutable_open()->mutable_run() = run.run;
      open.mutable_open()->set_incarnation(incarnation + life);
      if (lives[life].resume_step.has_value()) open.mutable_open()->set_resume_step(*lives[life].resume_step);
      // One channel a life: batches of two lives have the same numbers.
      channel_ = channel_ == kMaxChannel ? 1 : channel_ + 1;
      if (absl::Status status = Write(std::move(open), Question{0, 0}, source, life == 0); !status.ok()) return status;
      for (const v1::Batch& batch : lives[life].batches) {
        v1::PushRequest request;
        *request.mutable_batch() = batch;
        absl::Status status = Write(std::move(request), Question{batch.sequence(), CountPoints(batch)}, source, false);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Summary> Finish() {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return broken_ || unanswered_ == 0; });
    }
    stream_->WritesDone();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return broken_; });  // The daemon ends the stream.
      if (unanswered_ == 0) return summary_;
    }
    return BrokenError();
  }

 private:
  // What the daemon has yet to answer. Sequence 0: an open.
  struct Question {
    uint64_t sequence;
    size_t points;
  };
  struct Channel {
    std::string source;
    bool starts_run = false;
    bool complained = false;
    std::deque<Question> questions;
  };

  absl::Status Write(v1::PushRequest request, Question question, const std::string& source, bool starts_run) {
    request.set_channel(channel_);
    if (!Ask(question, source, starts_run)) return BrokenError();
    if (!stream_->Write(request)) return BrokenError();
    return absl::OkStatus();
  }

  // Notes the question when there is room for it; false if the stream is broken.
  bool Ask(Question question, const std::string& source, bool starts_run) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return broken_ || unanswered_ < kMaxUnanswered; });
    if (broken_) return false;
    if (question.sequence == 0) channels_[channel_] = {source, starts_run, false, {}};
    channels_[channel_].questions.push_back(question);
    ++unanswered_;
    return true;
  }

  void Read() {
    v1::PushResponse response;
    while (stream_->Read(&response)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto channel = channels_.find(response.channel());
      if (channel == channels_.end()) continue;
      Take(channel->second, response);
      if (channel->second.questions.empty() && channels_.size() > 2 * kMaxUnanswered) channels_.erase(channel);
      changed_.notify_all();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }

  // With mutex_ held.
  void Take(Channel& channel, const v1::PushResponse& response) {
    switch (response.response_case()) {
      case v1::PushResponse::kOpened:
        summary_.runs += channel.starts_run ? 1 : 0;
        Answer(channel, 0);
        return;
      case v1::PushResponse::kAck:
        while (!channel.questions.empty() && channel.questions.front().sequence <= response.ack().sequence()) {
          summary_.points += channel.questions.front().points;
          channel.questions.pop_front();
          --unanswered_;
        }
        return;
      case v1::PushResponse::kRejected:
        Complain(channel, response.rejected());
        summary_.refused_points += Answer(channel, response.rejected().sequence());
        return;
      case v1::PushResponse::RESPONSE_NOT_SET:
        return;
    }
  }

  // Takes the question off the list; its points.
  size_t Answer(Channel& channel, uint64_t sequence) {
    for (auto it = channel.questions.begin(); it != channel.questions.end(); ++it) {
      if (it->sequence != sequence) continue;
      const size_t points = it->points;
      channel.questions.erase(it);
      --unanswered_;
      return points;
    }
    return 0;
  }

  void Complain(Channel& channel, const v1::Rejected& rejected) {
    if (std::exchange(channel.complained, true)) return;
    // A declaration is the first line of its file.
    const bool is_open = rejected.sequence() == 0;
    const std::string field = is_open && rejected.field().rfind(kOpenPrefix, 0) == 0
                                  ? rejected.field().substr(kOpenPrefix.size())
                                  : rejected.field();
    summary_.refused.push_back(channel.source + (is_open ? ":1: " : ": ") + (field.empty() ? "" : field + ": ") +
                               rejected.message());
  }

  absl::Status BrokenError() {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return broken_; });
    }
    if (finished_) return absl::UnavailableError("the stream to " + address_ + " is broken");
    finished_ = true;
    const grpc::Status status = stream_->Finish();
    const bool none_answered = summary_.runs == 0;
    if (none_answered && status.error_code() == grpc::UNAVAILABLE)
      return UnreachableError(address_, status.error_message());
    return absl::InternalError("the stream to curvecastd at " + address_ + " broke (" + status.error_message() +
                               "); import again: what arrived is replaced, not doubled");
  }

  const std::string address_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PushRequest, v1::PushResponse>> stream_;
  uint32_t channel_ = 0;
  bool finished_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, Channel> channels_;
  size_t unanswered_ = 0;
  bool broken_ = false;  // Or ended: nothing more will be read.
  Summary summary_;

  std::thread reader_;  // Last: it uses all of the above.
};

Uploader::Uploader(const std::string& address) {
  const absl::StatusOr<Endpoint> endpoint = ToEndpoint(address);
  no_endpoint_ = endpoint.status();
  if (endpoint.ok()) stream_ = std::make_unique<Stream>(address, *endpoint);
}
Uploader::~Uploader() = default;
absl::Status Uploader::Send(const ReadRun& run, const std::string& source) {
  return stream_ == nullptr ? no_endpoint_ : stream_->Send(run, source);
}
absl::StatusOr<Uploader::Summary> Uploader::Finish() {
  if (stream_ == nullptr) return no_endpoint_;
  return stream_->Finish();
}

}  // namespace curvecast
