#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace curvecast {

// How heavy the tails of a run's noise are, learned from its own standardised residuals: the posterior over Student's t
// with 2, 4, 6, 10 degrees of freedom and the normal, each scaled so that its clipped second moment (NoiseScale) is 1.
// Everything that is compared with a noise's tail asks here, so that a heavy-tailed run pays with higher thresholds and
// not with false alarms.
class Tail {
 public:
  static constexpr size_t kModels = 5;
  static constexpr size_t kBins = 10;

  // A residual over its scale.
  void Add(double z);

  // Which model: 0 is the heaviest (2 degrees of freedom), kModels - 1 the normal. The median of the posterior.
  size_t model() const { return model_; }
  // The z that one point in 1 / p exceeds upward under that model. p in (1e-15, 0.1).
  double Threshold(double p) const;
  // At what |z| a score is to be clipped, and the largest shift (in standard deviations) that the clipped score may be
  // tried against, so that exp(d s - d^2 / 2) has mean 1 or less.
  double clip() const;
  double largest_shift() const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(counts_, seen_, model_);
  }

 private:
  void Choose();

  std::array<double, kBins> counts_ = {};
  int64_t seen_ = 0;
  size_t model_ = kModels - 1;
};

}  // namespace curvecast
