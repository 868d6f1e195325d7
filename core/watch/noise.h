#pragma once

#include <cstdint>
#include <vector>

#include "core/watch/tail.h"

namespace curvecast {

// The noise of a run's points, learned as they come: its scale, what a point's noise shares with the one before, and
// its tails. Scale and correlation are of the innovations, so that the law's own course does not count as noise.
class Noise {
 public:
  // A guess of the scale, and how many points that is worth.
  Noise(double scale, double points) : variance_(scale * scale), point_sd_(scale), seen_(points) {}

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

  static constexpr double kMostCorrelation = 0.9;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(variance_, point_sd_, seen_, correlation_, before_, tail_);
  }

 private:
  double variance_;
  double point_sd_;
  double seen_;
  double correlation_ = 0;
  double before_ = 0;
  Tail tail_;
};

// A first guess of the noise of consecutive levels, of which there are at least three: from how far each lies off the
// middle of its neighbours, robustly, whatever smooth course they follow.
double GuessScale(const std::vector<double>& levels);

}  // namespace curvecast
