#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/watch/tail.h"

namespace curvecast {

// Tests whether the newest point, or the one or two before it together with what followed, stand far above what was
// expected: against a spike of one point, and one that halves with each point.
class SpikeTest {
 public:
  // One false alarm in this many points.
  void SetMeanPoints(double mean_points, const Tail& tail);

  struct Finding {
    int points_ago = 0;  // Where it began: 0 is the newest point.
    double statistic = 0, threshold = 0;
  };
  // An innovation over its expected standard deviation, and the correlation that it was whitened by.
  std::optional<Finding> Add(double z, double correlation);
  void Clear() { seen_ = 0; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(newest_, seen_, threshold_);
  }

 private:
  static constexpr int kReach = 3;          // Points that a spike is looked at.
  std::array<double, kReach> newest_ = {};  // Newest first.
  int seen_ = 0;
  double threshold_ = 6;
};

}  // namespace curvecast
