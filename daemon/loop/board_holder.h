#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "core/engine/board.h"

namespace curvecast {

// Where the newest board hangs. The engine's thread puts it up; anyone looks; those who watch are told on a thread of
// the holder's own, so that many watchers cost the engine nothing.
class BoardHolder {
 public:
  BoardHolder();  // Holds an empty board that is replaying.
  ~BoardHolder();

  std::shared_ptr<const Board> Get() const;

  // Called with a new board, one listener after the other; must not block, and must not call back into this.
  using Listener = std::function<void(const std::shared_ptr<const Board>&)>;
  uint64_t Subscribe(Listener listener);
  void Unsubscribe(uint64_t id);  // When it returns, the listener is not running and will not be called again.

  void Put(std::shared_ptr<const Board> board);
  void Tell();  // Soon calls the listeners with the board that hangs then.

 private:
  mutable std::mutex board_mutex_;
  std::shared_ptr<const Board> board_;
  std::mutex listeners_mutex_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Listener> listeners_;

  void TellOthers();
  std::mutex news_mutex_;
  std::condition_variable news_;
  bool due_ = false;
  bool ending_ = false;
  std::thread teller_;  // Last: it uses all of the above.
};

}  // namespace curvecast
