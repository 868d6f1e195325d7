#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace curvecast {

// How long to wait before the next attempt: doubling from `first` to `last`, each a random half to whole of that, so
// that a thousand jobs do not come back in one instant.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last, uint32_t seed)
      : first_(first), last_(last), next_(first), random_(seed) {}

  std::chrono::milliseconds Next() {
    std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(next_.count() / 2, next_.count());
    const std::chrono::milliseconds wait(jitter(random_));
    next_ = std::min(next_ * 2, last_);
    return wait;
  }
  void Reset() { next_ = first_; }

 private:
  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
  std::minstd_rand random_;
};

}  // namespace curvecast
