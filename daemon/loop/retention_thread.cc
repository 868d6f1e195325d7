#include "daemon/loop/retention_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace curvecast {
namespace {

constexpr int64_t kLookMicros = 1'000'000;
constexpr int64_t kRestBetweenRounds = 10'000'000;  // At least, and twenty times what the last one took ...
constexpr int64_t kRestShare = 20;
constexpr int64_t kRestAfterPiece = 3;  // ... and three times what a piece took, so that others get at the journal.

}  // namespace

RetentionThread::RetentionThread(Parts parts) : parts_(std::move(parts)), thread_([this] { Work(); }) {}

RetentionThread::~RetentionThread() { Stop(); }

void RetentionThread::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool RetentionThread::Sleep(int64_t micros) {
  std::unique_lock lock(mutex_);
  return !news_.wait_for(lock, std::chrono::microseconds(micros), [this] { return stopping_; });
}

void RetentionThread::Work() {
  int64_t rest_until = 0;
  while (Sleep(kLookMicros)) {
    const std::shared_ptr<const Board> board = parts_.boards.Get();
    const int64_t start = parts_.clock.MonotonicMicros();
    if (board->replaying || start < rest_until) continue;
    const absl::StatusOr<Retention::Round> round = parts_.retention.Do(
        *board, [this](int64_t busy) { return Sleep(std::max<int64_t>(1000, kRestAfterPiece * busy)); });
    const int64_t end = parts_.clock.MonotonicMicros();
    if (absl::IsCancelled(round.status())) return;
    if (!round.ok()) {
      parts_.on_failure(round.status());
      if (absl::IsDataLoss(round.status())) return;
      rest_until = end + kRestBetweenRounds;
      continue;
    }
    if (round->compacted > 0) parts_.on_round(*round);
    if (round->over_limit != over_limit_) parts_.on_over_limit(over_limit_ = round->over_limit);
    if (round->due > 0 && !round->more) rest_until = end + std::max(kRestBetweenRounds, kRestShare * (end - start));
  }
}

}  // namespace curvecast
