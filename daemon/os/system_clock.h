#pragma once

#include "core/ports/clock.h"

namespace curvecast {

class SystemClock final : public Clock {
 public:
  int64_t NowUnixMicros() override;
  int64_t MonotonicMicros() override;
};

}  // namespace curvecast
