#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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
  double m2 = 0;          // Sum of squared deviations from the mean; at most DBL_MAX.
  double last_value = 0;  // At last_step.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(first_step, last_step, count, mean_step, mean, m2, last_value);
  }
};

// One metric of one run, in constant memory: finite points in bins that are single points at first and are merged as
// the run grows, so that early steps are spaced by their logarithm and late ones evenly. Owned by one thread; copyable;
// no I/O.
//
// What it promises:
// * Points come in any order. One at the step of a bin that holds a single point replaces it; otherwise it joins the
// bin
//   around its step, or opens a new one.
// * Non-finite values never enter a bin. They are counted in spans of steps, at most kMaxSpans: beyond that the two
// spans
//   that lie closest become one.
// * A value replaces one of another kind at its step too: a number takes the place of a NaN and the reverse, as long as
//   the one replaced still stands alone in its bin or span.
// * Rewind(s) leaves no trace of any point at step >= s. Bins and spans below s stay whole; the one that straddles s
// goes,
//   since its points cannot be told apart (bins are narrow near the newest step). The newest step and value are then
//   those of what is left.
// * The same calls in the same order give the same bits.
class Curve {
 public:
  // Bins held at most; half of them once merged.
  static constexpr size_t kMaxBins = 256;
  // Spans of non-finite points held at most.
  static constexpr size_t kMaxSpans = 16;

  // Non-finite points in [first_step, last_step].
  struct Span {
    Step first_step = 0;
    Step last_step = 0;
    int64_t count = 0;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(first_step, last_step, count);
    }
  };
  // All of a curve, as plain data.
  struct Parts {
    std::vector<Bin> bins;
    std::vector<Span> spans;
    std::optional<Step> last_step;  // Nothing of an empty one.
    double last_value = 0;
  };
  Parts parts() const;
  // The curve that had these parts, to the bit. Nothing if no curve can have them.
  static std::optional<Curve> FromParts(Parts parts);

  // step in [0, kMaxStep].
  void Add(Step step, double value);

  // Removes what lies at step >= from_step and returns the removed bins, in order. Non-finite points just go.
  std::vector<Bin> Rewind(Step from_step);

  // Gives back the memory that only growth needs.
  void ShrinkToFit() {
    bins_.shrink_to_fit();
    spans_.shrink_to_fit();
  }

  const std::vector<Bin>& bins() const { return bins_; }  // In order of step, disjoint.
  bool empty() const { return !has_last_; }               // No point at all, finite or not.
  Step last_step() const { return last_step_; }           // Newest step, finite or not. 0 if empty.
  double last_value() const { return last_value_; }       // At last_step. NaN if empty or not finite there.
  int64_t points() const { return points_; }              // Finite points held.
  // True if the newest point is NaN or infinite.
  bool ends_non_finite() const { return has_last_ && !spans_.empty() && spans_.back().last_step == last_step_; }
  int64_t non_finite_points() const { return non_finite_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(bins_, spans_, has_last_, last_step_, last_value_, points_, non_finite_);
  }

 private:
  void AddFinite(Step step, double value);
  void AddNonFinite(Step step);
  void DropSinglePoint(Step step);  // The finite point at `step`, if it stands alone.
  void DropSingleSpan(Step step);   // Likewise the non-finite one.
  void Merge();
  void MergeSpans();
  void FindLast();

  std::vector<Bin> bins_;
  std::vector<Span> spans_;
  bool has_last_ = false;
  Step last_step_ = 0;
  double last_value_ = std::numeric_limits<double>::quiet_NaN();
  int64_t points_ = 0;
  int64_t non_finite_ = 0;
};

}  // namespace curvecast
