#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/step.h"

namespace curvecast {

// Consecutive points of a curve, summed up.
struct Bin {
  Step first_step = 0;
  Step last_step = 0;
  int64_t count = 0;     // Finite points, >= 1.
  double mean_step = 0;  // In [first_step, last_step].
  double mean = 0;
  double m2 = 0;         // Sum of squared deviations from the mean.
};

// One metric of one run, in constant memory: finite points in bins that are single points at first and are merged as the run
// grows, so that early steps are spaced by their logarithm and late ones evenly. Owned by one thread; copyable; no I/O.
//
// What it promises:
// * Points come in any order. One at the step of a bin that holds a single point replaces it; otherwise it joins the bin
//   around its step, or opens a new one.
// * Non-finite values are counted and never enter a bin.
// * Rewind(s) leaves no trace of any point at step >= s. Bins below s stay whole; the one that straddles s goes, since its
//   points cannot be told apart (bins are narrow near the newest step).
// * The same calls in the same order give the same bits.
class Curve {
 public:
  // Bins held at most; half of them once merged.
  static constexpr size_t kMaxBins = 256;

  // step in [0, kMaxStep].
  void Add(Step step, double value);

  // Removes what lies at step >= from_step and returns the removed bins, in order.
  std::vector<Bin> Rewind(Step from_step);

  const std::vector<Bin>& bins() const { return bins_; }  // In order of step, disjoint.
  bool empty() const { return !has_last_; }               // No point at all, finite or not.
  Step last_step() const { return last_step_; }           // Newest step, finite or not. 0 if empty.
  double last_value() const { return last_value_; }       // At last_step. NaN if empty.
  int64_t points() const { return points_; }              // Finite points held.
  int64_t non_finite_points() const { return non_finite_; }

 private:
  void Merge();

  std::vector<Bin> bins_;
  bool has_last_ = false;
  Step last_step_ = 0;
  double last_value_ = 0;
  int64_t points_ = 0;
  int64_t non_finite_ = 0;
};

}  // namespace curvecast
