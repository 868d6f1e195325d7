#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/law.h"
#include "daemon/loop/inbox.h"
#include "daemon/loop/loop_metrics.h"

namespace curvecast {

// A run as it stood when its fit was ordered.
struct FitTask {
  RunKey key;
  Curve curve;
  Plan plan;
  int64_t rewinds = 0;
};

// Threads that forecast and hand the results in. Forecasting is pure, so that they share nothing.
class FitPool {
 public:
  static constexpr size_t kMaxWaiting = 256;

  FitPool(size_t threads, const Prior& prior, Inbox& inbox, LoopMetrics& metrics);
  ~FitPool();  // Gives up what waits, finishes what runs.

  // False if kMaxWaiting tasks wait; the caller asks again later, with newer points.
  bool Submit(FitTask task);

 private:
  void Work();

  const Prior& prior_;
  Inbox& inbox_;
  LoopMetrics& metrics_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool stopping_ = false;
  std::deque<FitTask> waiting_;
  std::vector<std::thread> threads_;
};

}  // namespace curvecast
