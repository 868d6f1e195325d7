#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/watch/loss_watch.h"

namespace curvecast {

// The train loss of a run whose objective is a held-out loss. It is watched without a word; if the objective leaves its
// law upward while this keeps to its own, what is said of the objective is OVERFIT.
class TrainSide {
 public:
  TrainSide(const Prior& prior, const std::string& metric, const Plan& plan) : watch_(prior, metric, plan) {}

  // As LossWatch::Add.
  void Add(Step step, double loss, const Curve& curve, double mean_points);
  void Relearn(const Plan& plan, const Curve& curve) { watch_.Relearn(plan, curve); }
  void Supersede(Step from);

  // Renames what was said of the objective since `first`.
  void Rename(std::vector<FlagChange>& changes, size_t first);
  // A flag of the objective that is active, as it was said.
  Flag Renamed(Flag flag) const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(watch_, points_, overfit_, raised_step_);
  }

 private:
  static constexpr int kLearned = 40;  // Points after which the train loss can be said to keep to its law.

  bool Keeps() const;  // To its law, and at its lowest.

  LossWatch watch_;
  std::vector<FlagChange> own_;  // Of watch_, for the time of a call.
  int points_ = 0;
  bool overfit_ = false;  // The objective's flag is called so ...
  Step raised_step_ = 0;  // ... since here.
};

}  // namespace curvecast
