#include "core/watch/forecast_check.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kFirstAnchor = 0.1;  // Progress: what is forecast before knows little.
constexpr double kAnchorEvery = 0.1;  // Progress from one anchor to the next.
constexpr double kLeastSd = 0.005;    // Of the median: what a forecast is never surer than.
constexpr double k90 = 1.6449;        // Standard deviations from the median to the end of a 90 % interval.

}  // namespace

ForecastCheck::Anchor ForecastCheck::AnchorAt(const Forecast& forecast) const {
  const double worse = maximize_ ? forecast.quantiles.front() : forecast.quantiles.back();
  const double sd = std::max(std::fabs(worse - forecast.median()) / k90, kLeastSd * std::fabs(forecast.median()));
  return {forecast.step, forecast.progress, forecast.median(), sd};
}

void ForecastCheck::Take(const Forecast& forecast, bool busy, std::vector<FlagChange>& changes) {
  if (!forecast.answered()) return;
  const double median = forecast.median();
  if (forecast.leaned.relatives > 0) {
    const double deviation = forecast.leaned.deviation;
    Judge(forecast, FlagKind::kOffFamily, deviation, forecast.leaned.expected, forecast.expected_value, 0, busy,
          family_row_, off_family_, changes);
  }
  if (!anchor_) {
    if (forecast.progress >= kFirstAnchor) anchor_ = AnchorAt(forecast);
    return;
  }
  const double deviation = (maximize_ ? anchor_->median - median : median - anchor_->median) / anchor_->sd;
  Judge(forecast, FlagKind::kOffLaw, deviation, anchor_->median, median, anchor_->sd, busy, law_row_, off_law_,
        changes);
  if (!off_law_.up() && deviation < kBack && forecast.progress >= anchor_->progress + kAnchorEvery) {
    anchor_ = AnchorAt(forecast);
  }
}

void ForecastCheck::Judge(const Forecast& forecast, FlagKind kind, double deviation, double expected, double seen,
                          double sd, bool busy, Row& row, RaisedFlag& raised, std::vector<FlagChange>& changes) {
  row.back = deviation < kBack ? row.back + 1 : 0;
  if (row.back >= kInRow) raised.Resolve(Resolution::kRecovered, forecast.step, changes);
  if (deviation < kOff) {
    row.off = 0;
    return;
  }
  if (row.off++ == 0) row.since = forecast.step;
  if (busy || row.off < kInRow || raised.up()) return;
  Flag flag;
  flag.kind = kind;
  flag.severity = Severity::kWarning;
  flag.metric = objective_;
  flag.began_step = row.since;
  flag.raised_step = flag.updated_step = forecast.step;
  flag.evidence = {
      .statistic = deviation, .threshold = kOff, .expected = expected, .seen = seen, .sigma = sd, .points = row.off};
  raised.Raise(std::move(flag), changes);
}

void ForecastCheck::Supersede(Step from, std::vector<FlagChange>& changes) {
  off_law_.Supersede(from, changes);
  off_family_.Supersede(from, changes);
  if (anchor_ && anchor_->step >= from) anchor_.reset();
  law_row_ = family_row_ = {};
}

void ForecastCheck::End(Step newest, std::vector<FlagChange>& changes) {
  off_law_.Resolve(Resolution::kEnded, newest, changes);
  off_family_.Resolve(Resolution::kEnded, newest, changes);
}

}  // namespace curvecast
