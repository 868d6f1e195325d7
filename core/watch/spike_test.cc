#include "core/watch/spike_test.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kTests = 4;  // At each point: two courses; those of one point are one test, and they are dependent.

}  // namespace

void SpikeTest::SetMeanPoints(double mean_points, const Tail& tail) {
  threshold_ = tail.Threshold(1 / (kTests * mean_points));
}

std::optional<SpikeTest::Finding> SpikeTest::Add(double z, double correlation) {
  newest_ = {z, newest_[0], newest_[1]};
  seen_ = std::min(seen_ + 1, kReach);
  std::optional<Finding> found;
  for (int ago = 0; ago < seen_; ++ago) {
    // The point itself must stand out: two that lie a little high are a shift's business.
    if (!(newest_[static_cast<size_t>(ago)] > 0.5 * threshold_)) continue;
    for (const double halving : {0.0, 0.5}) {
      // What is left of the spike's course by the whitening, matched with what was seen.
      double course = 1, before = 0, product = 0, square = 0;
      for (int i = ago; i >= 0; --i) {
        const double left = course - correlation * before;
        product += left * newest_[static_cast<size_t>(i)];
        square += left * left;
        before = course;
        course *= halving;
      }
      const double statistic = product / std::sqrt(square);
      if (statistic >= threshold_ && (!found || statistic > found->statistic)) {
        found = Finding{ago, statistic, threshold_};
      }
    }
  }
  return found;
}

}  // namespace curvecast
