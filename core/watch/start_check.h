#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/step.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// STUCK_AT_START: well into its run the loss is still where it began, as it is when nothing is learned: a rate of 0,
// labels that do not belong, a dead network. The loss at the first points is held against the mean of the newest.
class StartCheck {
 public:
  explicit StartCheck(std::string metric) : metric_(std::move(metric)) {}

  // A finite point past all before it; `progress` of the plan, nothing if there is none.
  void Add(Step step, double value, std::optional<double> progress, std::vector<FlagChange>& changes);
  void Supersede(Step from, std::vector<FlagChange>& changes) { flag_.Supersede(from, changes); }
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_, points_, first_step_, first_, newest_, scatter_, before_, left_);
  }

 private:
  const std::string metric_;
  RaisedFlag flag_;
  int64_t points_ = 0;
  Step first_step_ = 0;
  double first_ = 0;    // Mean of the first kFirst.
  double newest_ = 0;   // Of the newest, fading.
  double scatter_ = 0;  // Mean squared difference of neighbours, halved: the noise of a point.
  double before_ = 0;
  bool left_ = false;  // The loss has once been well below its start.
};

}  // namespace curvecast
