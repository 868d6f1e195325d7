#pragma once

#include <cstdint>

namespace curvecast {

// An optimizer step. 0 is before the first update; the upper end is what a double still counts exactly.
using Step = int64_t;
inline constexpr Step kMaxStep = Step{1} << 53;

}  // namespace curvecast
