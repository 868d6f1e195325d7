#include "core/watch/eval_watch.h"

#include <algorithm>
#include <cmath>

#include "core/watch/budget.h"

namespace curvecast {
namespace {

constexpr double kRise = 0.005;  // Log loss over the lowest level: a rise, and no mere end of the fall.
constexpr double kRiseSds = 1;   // Likewise, in noise of a point.

}  // namespace

void EvalWatch::Add(Step step, double loss, const Curve& curve, double mean_points, bool train_above,
                    std::vector<FlagChange>& changes) {
  constexpr double kShare = BudgetShares::kBeside / 2;
  own_.clear();
  watch_.Add(step, loss, curve, mean_points * (BudgetShares::kAbove / kShare), own_);
  if (!watch_.above()) return flag_.Resolve(Resolution::kRecovered, step, changes);
  Flag flag = *watch_.active();
  const bool rises = watch_.smooth_rise() > std::max(kRise, kRiseSds * watch_.point_sd());
  if (flag.kind == FlagKind::kSpike || !rises || train_above) return;
  flag.kind = FlagKind::kOverfit;
  flag.severity = Severity::kWarning;
  flag.raised_step = flag.updated_step = step;
  flag.evidence.share = kShare;
  flag_.Raise(std::move(flag), changes);
}

void EvalWatch::Supersede(Step from, std::vector<FlagChange>& changes) {
  own_.clear();
  watch_.Supersede(from, own_);
  flag_.Supersede(from, changes);
}

}  // namespace curvecast
