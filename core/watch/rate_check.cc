#include "core/watch/rate_check.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kTolerance = 0.05;  // Of the declared rate ...
constexpr double kOfPeak = 0.002;    // ... and of the peak, for rates near 0.
constexpr int kInRow = 3;            // Rates that differ before it is said, or agree before it is over.
constexpr int kFactorRates = 3;      // After which a factor throughout is known.
constexpr double kFactorTolerance = 0.02;

}  // namespace

// The declared rates from a logging interval before to a step after, times the factor.
bool RateCheck::Agrees(Step step, double rate, double factor) const {
  const double at = static_cast<double>(step), peak = schedule_->peak_lr() * factor;
  double low = INFINITY, high = 0;
  for (const double place : {at - stride_, at - 1, at, at + 1}) {
    const double planned = peak * schedule_->RelativeRate(std::max(place, 0.0));
    low = std::min(low, planned);
    high = std::max(high, planned);
  }
  const double slack = kTolerance * high + kOfPeak * peak;
  return rate >= low - slack && rate <= high + slack;
}

void RateCheck::Add(Step step, double rate, std::vector<FlagChange>& changes) {
  if (!schedule_ || !std::isfinite(rate)) return;
  if (before_ && step <= *before_) return;
  stride_ = before_ ? static_cast<double>(step - *before_) : 1;
  before_ = step;
  const double planned = schedule_->peak_lr() * schedule_->RelativeRate(static_cast<double>(step));
  // While the first rates agree with none of a factor, none is assumed. In warm-up a step makes a large factor.
  const bool telling = planned > 0.1 * schedule_->peak_lr() && static_cast<double>(step) > schedule_->warmup_end();
  if (compared_ < kFactorRates && telling && rate > 0) {
    const double factor = rate / planned;
    const bool same = compared_ > 0 && std::fabs(factor - factor_) < kFactorTolerance * factor_;
    factor_ = factor;
    compared_ = same || compared_ == 0 ? compared_ + 1 : kFactorRates + 1;
    if (compared_ > kFactorRates || std::fabs(factor - 1) < kTolerance) factor_ = 1;
  }
  if (compared_ == kFactorRates && factor_ != 1 && !scaled_told_) {
    scaled_told_ = true;
    flag_.Raise(Make(Severity::kInfo, step, rate), changes);
    flag_.Resolve(Resolution::kAccepted, step, changes);
  }
  if (compared_ < kFactorRates) return;
  if (Agrees(step, rate, factor_)) {
    off_ = 0;
    if (++agreed_ >= kInRow) flag_.Resolve(Resolution::kRecovered, step, changes);
    return;
  }
  agreed_ = 0;
  if (off_++ == 0) off_since_ = step;
  if (off_ >= kInRow) flag_.Raise(Make(Severity::kWarning, step, rate), changes);
}

void RateCheck::Supersede(Step from, std::vector<FlagChange>& changes) {
  flag_.Supersede(from, changes);
  if (!before_ || *before_ < from) return;
  before_.reset();
  off_ = agreed_ = 0;
}

Flag RateCheck::Make(Severity severity, Step step, double rate) const {
  const double base = severity == Severity::kInfo ? 1 : factor_;
  const double planned = base * schedule_->peak_lr() * schedule_->RelativeRate(static_cast<double>(step));
  Flag flag;
  flag.kind = FlagKind::kLrMismatch;
  flag.severity = severity;
  flag.metric = metric_;
  flag.began_step = severity == Severity::kInfo ? step : off_since_;
  flag.raised_step = flag.updated_step = step;
  Evidence& e = flag.evidence;
  e.statistic = planned > 0 ? std::fabs(rate / planned - 1) : std::fabs(rate) / schedule_->peak_lr();
  e.threshold = kTolerance;
  e.expected = planned;
  e.seen = rate;
  e.points = kInRow;
  return flag;
}

}  // namespace curvecast
