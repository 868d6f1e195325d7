#pragma once

#include <cstdint>
#include <vector>

#include "core/watch/tail.h"

namespace curvecast {

// The noise of a run's points, learned as they come: its scale, what a point's noise shares with the one before, and
// its tails. Scale and correlation are of the innovations, so that the law's own course does not count as noise.
class Noise {
 public:
  // A guess of the scale, of a point given the one before, and how many points that is worth.
  Noise(double scale, double points);

  // An innovation over its expected standard deviation, and which part of that variance is noise. Not of a point that
  // was flagged, or comes while a flag is up: that is no noise.
  void Add(double z, double noise_part);

  // The scale has changed by a factor, and that is worth so many points. Tails and correlation stay.
  void Rescale(double factor, double points);

  double variance() const { return variance_; }        // Of a point given the one before.
  double correlation() const { return correlation_; }  // Of neighbours, in [0, kMostCorrelation].
  double point_sd() const { return point_sd_; }        // Of a point by itself.
  // That independent points would have whose mean is as uncertain.
  double mean_sd() const;
  const Tail& tail() const { return tail_; }
  // What z = innovation / sd would be if the scale were known and not estimated from few points: that of the normal
  // that is exceeded as rarely as z is by Student's t (Wallace 1959, the leading term). Of z > 0; others stay as they
  // are.
  double NormalScore(double z) const;

  static constexpr double kMostCorrelation = 0.9;
  static constexpr double kUsualCorrelation = 0.2;  // Before any is seen (README.md).

  template <class Archive>
  void Fields(Archive& archive) {
    archive(variance_, point_sd_, known_, points_, correlation_, before_, tail_);
  }

 private:
  double variance_;
  double point_sd_;
  double known_;   // As many points of nothing but noise would tell as much of the scale.
  double points_;  // That the correlation was learned from.
  double correlation_ = kUsualCorrelation;
  double before_ = 0;
  Tail tail_;
};

// A first guess of the scale of the noise of consecutive levels, of which there are at least three, of a level given
// the one before: from how far each lies off the middle of its neighbours, robustly, whatever smooth course they
// follow, if they correlate as usual.
double GuessScale(const std::vector<double>& levels);

}  // namespace curvecast
