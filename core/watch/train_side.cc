#include "core/watch/train_side.h"

#include <algorithm>
#include <utility>

namespace curvecast {
namespace {

constexpr double kRise = 0.01;  // Log loss over its lowest level: more is no train loss that keeps to its law.

bool IsSlowRise(FlagKind kind) {
  return kind == FlagKind::kShift || kind == FlagKind::kDrift || kind == FlagKind::kPlateau ||
         kind == FlagKind::kDivergence;
}

}  // namespace

void TrainSide::Add(Step step, double loss, const Curve& curve, double mean_points) {
  own_.clear();
  watch_.Add(step, loss, curve, mean_points, own_);
  points_ = std::min(points_ + 1, kLearned);
}

void TrainSide::Supersede(Step from) {
  own_.clear();
  watch_.Supersede(from, own_);
}

bool TrainSide::Keeps() const {
  return points_ == kLearned && !watch_.above() && watch_.smooth_rise() < std::max(kRise, watch_.point_sd());
}

void TrainSide::Rename(std::vector<FlagChange>& changes, size_t first) {
  std::vector<FlagChange> renamed(std::make_move_iterator(changes.begin() + static_cast<std::ptrdiff_t>(first)),
                                  std::make_move_iterator(changes.end()));
  changes.resize(first);
  for (FlagChange& change : renamed) {
    const bool raised = change.what == FlagChange::What::kRaised;
    if (!IsSlowRise(change.flag.kind)) {
      changes.push_back(std::move(change));
      continue;
    }
    if (overfit_) {
      // It is graver than it was, and still the same.
      if (raised || change.flag.resolution == Resolution::kReplaced) continue;
      change.flag = Renamed(std::move(change.flag));
      overfit_ = change.what != FlagChange::What::kResolved;
    } else if (raised && Keeps()) {
      overfit_ = true;
      raised_step_ = change.flag.raised_step;
      change.flag = Renamed(std::move(change.flag));
    }
    changes.push_back(std::move(change));
  }
}

Flag TrainSide::Renamed(Flag flag) const {
  if (!overfit_ || !IsSlowRise(flag.kind)) return flag;
  flag.kind = FlagKind::kOverfit;
  flag.severity = Severity::kWarning;
  flag.raised_step = raised_step_;
  return flag;
}

}  // namespace curvecast
