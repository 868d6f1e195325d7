#include "daemon/loop/fit_pool.h"

#include <chrono>
#include <utility>

namespace curvecast {

FitPool::FitPool(size_t threads, const Prior& prior, Inbox& inbox, LoopMetrics& metrics)
    : prior_(prior), inbox_(inbox), metrics_(metrics) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

FitPool::~FitPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool FitPool::Submit(FitTask task) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) return false;
    waiting_.push_back(std::move(task));
  }
  news_.notify_one();
  return true;
}

void FitPool::Work() {
  while (true) {
    FitTask task;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const auto start = std::chrono::steady_clock::now();
    Forecast forecast = ForecastEnd(task.curve, task.plan, prior_);
    metrics_.fit_seconds.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    metrics_.fits.Increment();
    inbox_.Push(FitResult{std::move(task.key), std::move(forecast), task.rewinds});
  }
}

}  // namespace curvecast
