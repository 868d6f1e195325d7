#pragma once

#include <string>
#include <vector>

#include "core/watch/loss_watch.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// OVERFIT: a loss on held-out data rises from its own law while the train loss keeps to its own. The held-out loss is
// watched as any other (LossWatch); what that finds is told only if it is a rise, and the train loss does not explain
// it.
class EvalWatch {
 public:
  EvalWatch(const Prior& prior, const std::string& metric, const Plan& plan)
      : metric_(metric), watch_(prior, metric, plan) {}

  // As LossWatch::Add. `train_above`: the train loss is itself flagged above its law.
  void Add(Step step, double loss, const Curve& curve, double mean_points, bool train_above,
           std::vector<FlagChange>& changes);
  void Relearn(const Plan& plan, const Curve& curve) { watch_.Relearn(plan, curve); }
  void Supersede(Step from, std::vector<FlagChange>& changes);
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(watch_, flag_);
  }

 private:
  const std::string metric_;
  LossWatch watch_;
  RaisedFlag flag_;
  std::vector<FlagChange> own_;  // Of watch_, for the time of a call.
};

}  // namespace curvecast
