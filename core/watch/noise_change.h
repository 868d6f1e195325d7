#pragma once

#include <cstdint>
#include <optional>

namespace curvecast {

// Tests whether the points have come to scatter twice as much, or half as much, as they did: the cumulative sum of the
// log likelihood ratio of the standardised innovations (Page 1954), which are clipped.
class NoiseChange {
 public:
  struct Finding {
    bool more = true;
    int64_t points = 0;    // Since it began.
    double factor = 1;     // The new scatter over the old one.
    double statistic = 0;  // Log likelihood ratio.
  };
  std::optional<Finding> Add(double z, double log_threshold);
  void Clear() { *this = {}; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(more_, less_);
  }

 private:
  struct Sum {
    double log_ratio = 0, square = 0;
    int64_t points = 0;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(log_ratio, square, points);
    }
  };
  static void Follow(double step, double square, Sum& sum);
  Sum more_, less_;
};

}  // namespace curvecast
