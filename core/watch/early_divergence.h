#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/step.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// DIVERGENCE of a run that is too young for its law: in its first points, its first hundredth or its warm-up, when
// LossWatch says nothing yet and many runs blow up. It needs no law: the newest points, and their mean, lie far above
// the lowest level that the loss has been at.
class EarlyDivergence {
 public:
  explicit EarlyDivergence(std::string metric) : metric_(std::move(metric)) {}

  // A point past all before it, log loss. It is over when the loss is most of the way back.
  void Add(Step step, double level, std::vector<FlagChange>& changes);
  // The law has it from here on.
  void Replace(Step step, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kReplaced, step, changes); }
  // Points went: it begins anew, unless a flag from before them is up.
  void Supersede(Step from, std::vector<FlagChange>& changes);
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_, levels_, began_, high_, points_, mean_, lowest_, difference_);
  }

 private:
  static constexpr size_t kInRow = 3;  // Points that must lie high.

  const std::string metric_;
  RaisedFlag flag_;
  std::array<double, kInRow + 2> levels_ = {};  // Newest first.
  Step began_ = 0;                              // Of the newest stretch of points that lie high ...
  bool high_ = false;                           // ... which still lasts.
  int64_t points_ = 0;
  double mean_ = 0;        // Of the newest, fading.
  double lowest_ = 0;      // Of that mean.
  double difference_ = 0;  // Mean size of that of neighbours, kInRow points late.
};

}  // namespace curvecast
