#include "daemon/loop/fit_pool.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

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
  for (Job& job : waiting_) {
    if (auto* order = std::get_if<ForecastOrder>(&job)) {
      order->deliver(absl::UnavailableError("the daemon is stopping; try again in a moment"));
    }
  }
}

bool FitPool::Submit(FitTask task) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() - orders_ >= kMaxWaiting) return false;
    waiting_.emplace_back(std::move(task));
  }
  news_.notify_one();
  return true;
}

void FitPool::Submit(ForecastOrder order) {
  {
    std::unique_lock lock(mutex_);
    if (orders_ >= kMaxOrders) {
      lock.unlock();
      return order.deliver(absl::ResourceExhaustedError(
          absl::StrCat(kMaxOrders, " questions wait for a forecast already; try again in a moment")));
    }
    ++orders_;
    waiting_.emplace_back(std::move(order));
  }
  news_.notify_one();
}

void FitPool::Work() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
      if (std::holds_alternative<ForecastOrder>(job)) --orders_;
    }
    std::visit([this](auto& each) { Do(std::move(each)); }, job);
  }
}

void FitPool::Do(FitTask task) {
  RunPlan run = PlanRun(*task.spec, task.curve.last_step(), task.rates);
  Forecast forecast = Make(task.curve, run.plan);
  inbox_.Push(FitResult{task.spec->key, std::move(forecast), task.rewinds, std::move(run.inferred_words)});
}

void FitPool::Do(ForecastOrder order) {
  std::vector<Forecast> forecasts;
  for (const Plan& plan : order.plans) forecasts.push_back(Make(order.curve, plan));
  order.deliver(std::move(forecasts));
}

Forecast FitPool::Make(const Curve& curve, const Plan& plan) {
  const auto start = std::chrono::steady_clock::now();
  Forecast forecast = ForecastEnd(curve, plan, prior_);
  metrics_.fit_seconds.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  metrics_.fits.Increment();
  return forecast;
}

}  // namespace curvecast
