#pragma once

#include <cstdint>

namespace curvecast {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowUnixMicros() = 0;    // Wall time; may jump.
  virtual int64_t MonotonicMicros() = 0;  // Never falls.
};

}  // namespace curvecast
