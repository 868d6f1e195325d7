#include "daemon/os/system_clock.h"

#include <chrono>

namespace curvecast {
namespace {

template <typename Clock>
int64_t Micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

int64_t SystemClock::NowUnixMicros() { return Micros<std::chrono::system_clock>(); }

int64_t SystemClock::MonotonicMicros() { return Micros<std::chrono::steady_clock>(); }

}  // namespace curvecast
