#pragma once

#include <vector>

#include "client/cli/picture/run_picture.h"

namespace curvecast {

// A series of which no eye could tell: of the points that fall into one of `columns` equal parts of [low, high], the
// first, the lowest, the highest and the last, in their order. Points that are not finite are kept, the first of a
// column. A short series comes back whole.
std::vector<PicturePoint> Thinned(const std::vector<PicturePoint>& series, double low, double high, size_t columns);

}  // namespace curvecast
