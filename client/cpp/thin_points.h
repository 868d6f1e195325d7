#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "client/cpp/point_buffer.h"

namespace curvecast {

// Takes points out that lie less than `least_gap` steps behind the one of their metric that stays before them, so that
// a buffer that is full makes room and still shows the whole curve. Of each metric in each life these stay: the first
// and the last point, the lowest and the highest, and what is not finite; and each point that opens a life. Returns how
// many went.
size_t ThinPoints(std::deque<LoggedPoint>& points, int64_t least_gap);

}  // namespace curvecast
