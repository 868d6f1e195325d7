#include "daemon/loop/board_holder.h"

#include <utility>

namespace curvecast {

BoardHolder::BoardHolder() {
  auto board = std::make_shared<Board>();
  board->replaying = true;
  board_ = std::move(board);
  teller_ = std::thread([this] { TellOthers(); });
}

BoardHolder::~BoardHolder() {
  {
    std::lock_guard lock(news_mutex_);
    ending_ = true;
  }
  news_.notify_one();
  teller_.join();
}

std::shared_ptr<const Board> BoardHolder::Get() const {
  std::lock_guard lock(board_mutex_);
  return board_;
}

uint64_t BoardHolder::Subscribe(Listener listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.emplace(next_id_, std::move(listener));
  return next_id_++;
}

void BoardHolder::Unsubscribe(uint64_t id) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void BoardHolder::Put(std::shared_ptr<const Board> board) {
  std::lock_guard lock(board_mutex_);
  board_ = std::move(board);
}

void BoardHolder::Tell() {
  {
    std::lock_guard lock(news_mutex_);
    due_ = true;
  }
  news_.notify_one();
}

void BoardHolder::TellOthers() {
  while (true) {
    {
      std::unique_lock lock(news_mutex_);
      news_.wait(lock, [this] { return due_ || ending_; });
      if (ending_) return;
      due_ = false;
    }
    const std::shared_ptr<const Board> board = Get();
    std::lock_guard lock(listeners_mutex_);
    for (const auto& [id, listener] : listeners_) listener(board);
  }
}

}  // namespace curvecast
