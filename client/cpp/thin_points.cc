#include "client/cpp/thin_points.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace curvecast {
namespace {

// The points of one metric in one life, by their places.
struct Stretch {
  const std::string* metric = nullptr;
  size_t first = 0, last = 0, lowest = 0, highest = 0;
  bool any_finite = false;
  int64_t kept_step = 0;  // Of the newest point that stays.
};

// Of one life: a few metrics, so that a search along them is the fastest there is.
Stretch& Find(std::vector<Stretch>& stretches, const LoggedPoint& point, size_t i) {
  for (Stretch& stretch : stretches) {
    if (stretch.metric == point.metric) return stretch;
  }
  stretches.push_back({.metric = point.metric, .first = i});
  return stretches.back();
}

void Take(Stretch& stretch, const std::deque<LoggedPoint>& points, size_t i) {
  stretch.last = i;
  const double value = points[i].value;
  if (!std::isfinite(value)) return;
  if (!stretch.any_finite || value < points[stretch.lowest].value) stretch.lowest = i;
  if (!stretch.any_finite || value > points[stretch.highest].value) stretch.highest = i;
  stretch.any_finite = true;
}

bool Marks(const Stretch& s, size_t i) {
  return i == s.first || i == s.last || (s.any_finite && (i == s.lowest || i == s.highest));
}

bool Opens(const LoggedPoint& point) { return point.resume_step != LoggedPoint::kNoResume; }

}  // namespace

size_t ThinPoints(std::deque<LoggedPoint>& points, int64_t least_gap) {
  size_t kept = 0;
  for (size_t begin = 0, end = 0; begin < points.size(); begin = end) {  // A life after the other.
    std::vector<Stretch> stretches;
    for (end = begin; end < points.size() && (end == begin || !Opens(points[end])); ++end) {
      Take(Find(stretches, points[end], end), points, end);
    }
    for (size_t i = begin; i < end; ++i) {
      Stretch& stretch = Find(stretches, points[i], i);
      if (!Opens(points[i]) && !Marks(stretch, i) && std::isfinite(points[i].value)) {
        if (points[i].step - stretch.kept_step < least_gap) continue;
      }
      stretch.kept_step = points[i].step;
      points[kept++] = points[i];
    }
  }
  const size_t gone = points.size() - kept;
  points.resize(kept);
  return gone;
}

}  // namespace curvecast
