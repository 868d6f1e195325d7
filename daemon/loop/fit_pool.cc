#include "daemon/loop/fit_pool.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace curvecast {

FitPool::FitPool(size_t threads, const Prior& prior, Inbox& inbox, LoopMetrics& metrics)
    : prior_(prior), leanings_(prior), inbox_(inbox), metrics_(metrics) {
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
  const Step newest = task.curve.last_step();
  RunPlan run = PlanRun(*task.spec, newest, task.rates);
  const std::shared_ptr<const Leaning> leaning = leanings_.Get({task.spec, &run.plan, newest, task.past, task.renew});
  Forecast forecast = Make(task.curve, run.plan, *leaning);
  inbox_.Push(FitResult{task.spec->key, std::move(forecast), task.rewinds, std::move(run.inferred_words)});
}

void FitPool::Do(ForecastOrder order) {
  std::vector<Forecast> forecasts;
  for (const Plan& plan : order.plans) {
    const Leaning leaning = LeanOnPast(order.past.get(), *order.spec, plan, order.curve.last_step(), prior_);
    forecasts.push_back(Make(order.curve, plan, leaning));
  }
  order.deliver(std::move(forecasts));
}

Forecast FitPool::Make(const Curve& curve, const Plan& plan, const Leaning& leaning) {
  const auto start = std::chrono::steady_clock::now();
  Forecast forecast = MakeForecast(curve, plan, prior_, leaning);
  metrics_.fit_seconds.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  metrics_.fits.Increment();
  return forecast;
}

}  // namespace curvecast
