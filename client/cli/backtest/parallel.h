#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"

namespace curvecast {

// Where to tell how far a long work has come.
struct Progress {
  std::ostream* out = nullptr;  // Null: nowhere. Rewritten in place: for a terminal.
  std::string of;               // Such as "runs".
};

// Calls work(i) for every i below n, on `threads` threads (0: every core).
inline void ForEach(size_t n, unsigned threads, const Progress& progress, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0, done = 0;
  std::mutex mutex;
  const auto run = [&] {
    for (size_t i; (i = next++) < n;) {
      work(i);
      if (const size_t so_far = ++done; progress.out != nullptr && so_far % 25 == 0) {
        const std::lock_guard lock(mutex);
        *progress.out << fmt::format("\r{} of {} {}", so_far, n, progress.of) << std::flush;
      }
    }
  };
  const unsigned wanted = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (unsigned t = 1; t < wanted; ++t) others.emplace_back(run);
  run();
  for (std::thread& thread : others) thread.join();
  if (progress.out != nullptr) *progress.out << "\r" << std::string(60, ' ') << "\r" << std::flush;
}

}  // namespace curvecast
