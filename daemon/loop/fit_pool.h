#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "core/curve/curve.h"
#include "core/engine/run_plan.h"
#include "core/law/law.h"
#include "daemon/loop/inbox.h"
#include "daemon/loop/leaning_cache.h"
#include "daemon/loop/loop_metrics.h"

namespace curvecast {

// A run as it stood when its fit was ordered.
struct FitTask {
  std::shared_ptr<const RunSpec> spec;
  Curve curve;
  std::optional<RateLog> rates;
  int64_t rewinds = 0;
  std::shared_ptr<const ProjectPast> past;  // Null: it leans on nothing.
  bool renew = true;                        // False: what was made of an earlier past will do.
};

// Forecasts of one curve for somebody who waits for them. `deliver` is called once: with a forecast for each plan; with
// UNAVAILABLE if the pool ends, or RESOURCE_EXHAUSTED if too many wait. It must not block.
struct ForecastOrder {
  std::shared_ptr<const RunSpec> spec;
  Curve curve;
  std::vector<Plan> plans;
  std::shared_ptr<const ProjectPast> past;  // Null: they lean on nothing.
  std::function<void(absl::StatusOr<std::vector<Forecast>>)> deliver;
};

// Threads that forecast and hand the results in. Forecasting is pure, so that they share nothing but the cache of what
// runs lean on.
class FitPool {
 public:
  static constexpr size_t kMaxWaiting = 256;
  static constexpr size_t kMaxOrders = 64;

  FitPool(size_t threads, const Prior& prior, Inbox& inbox, LoopMetrics& metrics);
  ~FitPool();  // Gives up what waits, finishes what runs.

  // False if kMaxWaiting tasks wait; the caller asks again later, with newer points.
  bool Submit(FitTask task);
  // Any thread. Orders wait in one line with the tasks, and deliver on a thread of the pool, unless nothing is made.
  void Submit(ForecastOrder order);

 private:
  using Job = std::variant<FitTask, ForecastOrder>;

  void Work();
  void Do(FitTask task);
  void Do(ForecastOrder order);
  Forecast Make(const Curve& curve, const Plan& plan, const Leaning& leaning);

  const Prior& prior_;
  LeaningCache leanings_;
  Inbox& inbox_;
  LoopMetrics& metrics_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool stopping_ = false;
  std::deque<Job> waiting_;
  size_t orders_ = 0;  // In waiting_.
  std::vector<std::thread> threads_;
};

}  // namespace curvecast
