#include "client/cli/picture/thin.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr size_t kKept = 4;  // Of a column.

using Iterator = std::vector<PicturePoint>::const_iterator;

void TakeColumn(Iterator begin, Iterator end, std::vector<PicturePoint>& out) {
  std::vector<Iterator> kept = {begin, end - 1};
  Iterator lowest = end, highest = end, broken = end;
  for (Iterator it = begin; it != end; ++it) {
    if (!std::isfinite(it->value)) {
      if (broken == end) broken = it;
      continue;
    }
    if (lowest == end || it->value < lowest->value) lowest = it;
    if (highest == end || it->value > highest->value) highest = it;
  }
  for (const Iterator it : {lowest, highest, broken}) {
    if (it != end) kept.push_back(it);
  }
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  for (const Iterator it : kept) out.push_back(*it);
}

}  // namespace

std::vector<PicturePoint> Thinned(const std::vector<PicturePoint>& series, double low, double high, size_t columns) {
  if (series.size() <= kKept * columns || !(high > low)) return series;
  const auto column = [&](const PicturePoint& p) {
    return std::floor((p.step - low) / (high - low) * static_cast<double>(columns));
  };
  std::vector<PicturePoint> out;
  for (Iterator begin = series.begin(); begin != series.end();) {
    const double at = column(*begin);
    const Iterator end = std::find_if(begin, series.end(), [&](const PicturePoint& p) { return column(p) != at; });
    TakeColumn(begin, end, out);
    begin = end;
  }
  return out;
}

}  // namespace curvecast
