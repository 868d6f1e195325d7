#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "core/engine/board.h"

namespace curvecast {

// Where the newest board hangs. The engine's thread puts it up and tells those who watch; anyone looks.
class BoardHolder {
 public:
  BoardHolder();  // Holds an empty board that is replaying.

  std::shared_ptr<const Board> Get() const;

  // Called on the publishing thread with a new board; must not block, and must not call back into this.
  using Listener = std::function<void(const std::shared_ptr<const Board>&)>;
  uint64_t Subscribe(Listener listener);
  void Unsubscribe(uint64_t id);  // When it returns, the listener is not running and will not be called again.

  void Put(std::shared_ptr<const Board> board);
  void Tell();  // Calls the listeners with the board that hangs.

 private:
  mutable std::mutex board_mutex_;
  std::shared_ptr<const Board> board_;
  std::mutex listeners_mutex_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Listener> listeners_;
};

}  // namespace curvecast
