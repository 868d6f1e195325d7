#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/ports/memory_journal.h"
#include "daemon/loop/engine_thread.h"

namespace curvecast {

// Time passes by the call, so that nothing here depends on the machine's.
class StepClock final : public Clock {
 public:
  int64_t NowUnixMicros() override { return 1'700'000'000'000'000 + set_by_ + MonotonicMicros(); }
  int64_t MonotonicMicros() override { return now_ += 1000; }
  void Advance(double seconds) { now_ += static_cast<int64_t>(seconds * 1e6); }
  void SetBy(double seconds) { set_by_ += static_cast<int64_t>(seconds * 1e6); }  // The wall clock alone.

 private:
  std::atomic<int64_t> now_{0};
  std::atomic<int64_t> set_by_{0};
};

// Collects replies, and lets a test wait for them.
class Replies final : public ReplySink {
 public:
  void Deliver(const Reply& reply) override {
    std::lock_guard lock(mutex_);
    replies_.push_back(reply);
    news_.notify_all();
  }
  std::vector<Reply> WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(news_.wait_for(lock, std::chrono::seconds(30), [&] { return replies_.size() >= count; }));
    return replies_;
  }
  size_t size() {
    std::lock_guard lock(mutex_);
    return replies_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<Reply> replies_;
};

class EngineThreadTest : public ::testing::Test {
 protected:
  void Start(EngineThread::Options options = {}) {
    EngineThread::Parts parts{journal_,
                              clock_,
                              inbox_,
                              boards_,
                              metrics_,
                              [this](const absl::Status& status) { journal_news_.push_back(status); },
                              [this](const RunKey&, const absl::Status&) { ++refusals_told_; },
                              [this](const absl::Status& status) {
                                fatal_ = status;
                                fatal_seen_ = true;
                              }};
    parts.on_clock_set = [this](double seconds) { clock_set_by_.push_back(seconds); };
    thread_ = std::make_unique<EngineThread>(options, parts, Prior::Shipped());
    thread_->Start();
  }
  void Send(Event event) {
    Ingest ingest{std::move(event), 3, replies_};
    ASSERT_EQ(inbox_.Push(ingest, [] {}), Inbox::PushResult::kTaken);
  }
  // Waits until the board is as wanted.
  template <typename Predicate>
  bool Eventually(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (predicate(*boards_.Get())) return true;
      std::this_thread::yield();
    }
    return false;
  }

  MemoryJournal journal_;
  StepClock clock_;
  Inbox inbox_{{}};
  BoardHolder boards_;
  prometheus::Registry registry_;
  LoopMetrics metrics_{registry_};
  std::shared_ptr<Replies> replies_ = std::make_shared<Replies>();
  std::vector<absl::Status> journal_news_;
  std::vector<double> clock_set_by_;  // Of the engine's thread.
  std::atomic<int> refusals_told_{0};
  absl::Status fatal_;
  std::atomic<bool> fatal_seen_{false};
  std::unique_ptr<EngineThread> thread_;
};

}  // namespace curvecast
