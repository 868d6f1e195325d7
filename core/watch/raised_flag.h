#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/watch/flag.h"

namespace curvecast {

// The place of one kind of flag in a run: it is up, or not. What happens to it goes to `changes`.
class RaisedFlag {
 public:
  bool up() const { return flag_.has_value(); }
  const std::optional<Flag>& flag() const { return flag_; }

  // Puts the flag up; one that is up already is left as it is.
  void Raise(Flag flag, std::vector<FlagChange>& changes) {
    if (flag_) return;
    flag_ = std::move(flag);
    changes.push_back({FlagChange::What::kRaised, *flag_});
  }
  // It has become graver.
  void Worsen(Severity severity, Step step, const Evidence& evidence, std::vector<FlagChange>& changes) {
    if (!flag_ || flag_->severity >= severity) return;
    flag_->severity = severity;
    flag_->updated_step = step;
    flag_->evidence = evidence;
    changes.push_back({FlagChange::What::kUpdated, *flag_});
  }
  void Resolve(Resolution resolution, Step step, std::vector<FlagChange>& changes) {
    if (!flag_) return;
    flag_->resolution = resolution;
    // A rewind takes a whole bin of the curve, and so may leave it below where the flag was raised.
    flag_->updated_step = std::max(step, flag_->updated_step);
    changes.push_back({FlagChange::What::kResolved, *std::exchange(flag_, std::nullopt)});
  }
  // What was raised at `from` or later lies on a branch that is no more.
  void Supersede(Step from, std::vector<FlagChange>& changes) {
    if (flag_ && flag_->raised_step >= from) Resolve(Resolution::kSuperseded, flag_->updated_step, changes);
  }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_);
  }

 private:
  std::optional<Flag> flag_;
};

}  // namespace curvecast
