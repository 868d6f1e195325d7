#include "core/watch/non_finite.h"

#include <cmath>

namespace curvecast {

void NonFinite::Add(Step step, double value, std::vector<FlagChange>& changes) {
  if (std::isfinite(value)) {
    last_finite_ = value;
    if (++finite_ >= kFinite) flag_.Resolve(Resolution::kRecovered, step, changes);
    return;
  }
  finite_ = 0;
  if (flag_.up()) return;
  Flag flag;
  flag.kind = FlagKind::kNonFinite;
  flag.severity = Severity::kCritical;
  flag.metric = metric_;
  flag.began_step = flag.raised_step = flag.updated_step = step;
  flag.evidence.statistic = flag.evidence.threshold = 1;  // Points.
  flag.evidence.expected = last_finite_;
  flag.evidence.seen = value;
  flag.evidence.points = 1;
  flag_.Raise(std::move(flag), changes);
}

}  // namespace curvecast
