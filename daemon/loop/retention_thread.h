#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "daemon/loop/board_holder.h"
#include "daemon/loop/retention.h"

namespace curvecast {

// Looks about once a second whether Retention has something to do, on a thread of its own that sleeps most of the time.
class RetentionThread {
 public:
  struct Parts {
    Retention& retention;
    const BoardHolder& boards;
    Clock& clock;
    std::function<void(const Retention::Round&)> on_round;  // Something was compacted.
    std::function<void(bool over)> on_over_limit;           // It has begun, or is over.
    std::function<void(const absl::Status&)> on_failure;    // The journal failed; it is tried again, unless damaged.
  };

  explicit RetentionThread(Parts parts);
  ~RetentionThread();  // Stop().
  void Stop();         // Soon; what is under way is given up between two transactions.

 private:
  void Work();
  bool Sleep(int64_t micros);  // False if it is to stop.

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool stopping_ = false;
  bool over_limit_ = false;
  std::thread thread_;
};

}  // namespace curvecast
