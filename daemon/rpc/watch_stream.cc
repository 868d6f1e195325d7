#include "daemon/rpc/watch_stream.h"

#include <utility>

#include "daemon/convert/view_convert.h"

namespace curvecast {

WatchStream::WatchStream(v1::WatchRunsRequest request, BoardHolder& boards, Clock& clock)
    : request_(std::move(request)), boards_(boards), clock_(clock) {}

void WatchStream::Begin() {
  subscription_ = boards_.Subscribe([this](const std::shared_ptr<const Board>& board) {
    std::lock_guard lock(mutex_);
    newest_ = board;
    SendChanges();
  });
  std::lock_guard lock(mutex_);
  if (newest_ == nullptr) newest_ = boards_.Get();
  SendChanges();
}

bool WatchStream::Matches(const RunView& run) const {
  const RunKey& key = run.spec->key;
  return (request_.project().empty() || request_.project() == key.project) &&
         (request_.run_id().empty() || request_.run_id() == key.run_id);
}

void WatchStream::SendChanges() {
  if (writing_ || finished_ || newest_ == nullptr || newest_->replaying) return;
  // The first answer comes even if it is empty, so that the client knows that it is connected.
  const bool first = sent_ == nullptr && sending_ == nullptr;
  response_.Clear();
  while (response_.runs_size() == 0 && (sending_ != nullptr || newest_ != sent_)) {
    if (sending_ == nullptr) {
      sending_ = newest_;
      next_ = 0;
    }
    Collect();
    if (next_ == sending_->runs.size()) sent_ = std::exchange(sending_, nullptr);
    if (first) break;
  }
  if (response_.runs_size() == 0 && !first) return;
  writing_ = true;
  StartWrite(&response_);
}

void WatchStream::Collect() {
  for (; next_ < sending_->runs.size() && response_.runs_size() < kMaxRunsPerMessage; ++next_) {
    const std::shared_ptr<const RunView>& run = sending_->runs[next_];
    if (!Matches(*run)) continue;
    // Views that did not change are shared between boards.
    if (sent_ != nullptr && sent_->Find(run->spec->key) == run.get()) continue;
    *response_.add_runs() = ToSummary(*run, WithPath::kNo, clock_.NowUnixMicros());
  }
}

void WatchStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) SendChanges();
}

void WatchStream::OnCancel() {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  Finish(grpc::Status::CANCELLED);
}

void WatchStream::OnDone() {
  boards_.Unsubscribe(subscription_);
  delete this;
}

}  // namespace curvecast
