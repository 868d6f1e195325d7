#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/step.h"
#include "core/schedule/lr_schedule.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// LR_MISMATCH: the learning rate that a job logs is not the one that it declared. Rates that are the declared ones
// times a factor throughout (another group of parameters, a multiplier) are told of as INFO, once; a shape that differs
// is a WARNING. A step more or less is no difference: trainers log before or after they move the rate.
class RateCheck {
 public:
  RateCheck(std::string metric, std::optional<LrSchedule> schedule)
      : metric_(std::move(metric)), schedule_(std::move(schedule)) {}

  void Add(Step step, double rate, std::vector<FlagChange>& changes);
  void Supersede(Step from, std::vector<FlagChange>& changes);
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_, before_, stride_, factor_, compared_, off_, agreed_, off_since_, scaled_told_);
  }

 private:
  bool Agrees(Step step, double rate, double factor) const;
  Flag Make(Severity severity, Step step, double rate) const;

  const std::string metric_;
  const std::optional<LrSchedule> schedule_;
  RaisedFlag flag_;
  std::optional<Step> before_;
  double stride_ = 1;  // Steps between the newest two rates.
  double factor_ = 1;  // Of the logged rates over the declared ones.
  int compared_ = 0;
  int off_ = 0, agreed_ = 0;  // In a row.
  Step off_since_ = 0;
  bool scaled_told_ = false;
};

}  // namespace curvecast
