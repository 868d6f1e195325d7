#include "daemon/loop/inbox.h"

#include <utility>

namespace curvecast {
namespace {

constexpr size_t kColumnCost = 8;  // In points, for the room that a column takes besides.

size_t PointsOf(const Ingest& ingest) {
  size_t points = 0;
  if (const auto* batch = std::get_if<BatchAppended>(&ingest.event.body)) {
    for (const Column& column : batch->columns) points += column.steps.size() + kColumnCost;
  }
  return points;
}

}  // namespace

Inbox::PushResult Inbox::Push(Ingest& ingest, std::function<void()> on_room) {
  const size_t points = PointsOf(ingest);
  {
    std::lock_guard lock(mutex_);
    if (closed_) return PushResult::kClosed;
    const bool full = batches_ >= limits_.max_batches || (batches_ > 0 && points_ + points > limits_.max_points);
    if (full) {
      waiting_for_room_[ingest.sink.get()] = std::move(on_room);
      return PushResult::kFull;
    }
    ++batches_;
    points_ += points;
    items_.emplace_back(std::move(ingest));
  }
  news_.notify_one();
  return PushResult::kTaken;
}

void Inbox::Push(FitResult result) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    items_.emplace_back(std::move(result));
  }
  news_.notify_one();
}

bool Inbox::Push(Question question) { return PushQuestion(std::move(question)); }

bool Inbox::Push(Handling handling) { return PushQuestion(std::move(handling)); }

bool Inbox::PushQuestion(Item item) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || questions_ >= limits_.max_questions) return false;
    ++questions_;
    items_.push_back(std::move(item));
  }
  news_.notify_one();
  return true;
}

std::vector<Inbox::Item> Inbox::Drain(std::chrono::milliseconds timeout) {
  std::vector<Item> items;
  decltype(waiting_for_room_) waiting;
  {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, timeout, [this] { return closed_ || !items_.empty(); });
    items.swap(items_);
    waiting.swap(waiting_for_room_);
    batches_ = points_ = questions_ = 0;
  }
  for (auto& [sink, on_room] : waiting) on_room();
  return items;
}

void Inbox::Close() {
  decltype(waiting_for_room_) waiting;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    waiting.swap(waiting_for_room_);
  }
  news_.notify_all();
  for (auto& [sink, on_room] : waiting) on_room();
}

void Inbox::Forget(const ReplySink* sink) {
  std::lock_guard lock(mutex_);
  waiting_for_room_.erase(sink);
}

}  // namespace curvecast
