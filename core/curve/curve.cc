#include "core/curve/curve.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/base/check.h"

namespace curvecast {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

// First item that does not lie wholly below `step`.
template <typename T>
auto LowerBound(std::vector<T>& items, Step step) {
  return std::lower_bound(items.begin(), items.end(), step, [](const T& item, Step s) { return item.last_step < s; });
}

// Welford's update, written so that values near the largest double cannot make the mean overflow.
void Join(Bin& bin, Step step, double value) {
  const double n = static_cast<double>(++bin.count);
  const double before = value - bin.mean;
  bin.mean += value / n - bin.mean / n;
  bin.mean_step += (static_cast<double>(step) - bin.mean_step) / n;
  bin.m2 = std::min(bin.m2 + before * (value - bin.mean), kLargest);
  if (step == bin.last_step) bin.last_value = value;
}

// Chan's merge of two neighbours.
void Join(Bin& left, const Bin& right) {
  const double nl = static_cast<double>(left.count), nr = static_cast<double>(right.count), n = nl + nr;
  const double apart = right.mean - left.mean;
  left.mean = left.mean * (nl / n) + right.mean * (nr / n);
  left.mean_step += (right.mean_step - left.mean_step) * (nr / n);
  left.m2 = std::min(left.m2 + right.m2 + apart * apart * (nl * nr / n), kLargest);
  left.count += right.count;
  left.last_step = right.last_step;
  left.last_value = right.last_value;
}

}  // namespace

void Curve::Add(Step step, double value) {
  CURVECAST_CHECK(step >= 0 && step <= kMaxStep);
  if (std::isfinite(value)) {
    DropSingleSpan(step);
    AddFinite(step, value);
  } else {
    DropSinglePoint(step);
    AddNonFinite(step);
    value = std::numeric_limits<double>::quiet_NaN();
  }
  if (!has_last_ || step >= last_step_) {
    has_last_ = true;
    last_step_ = step;
    last_value_ = value;
  }
}

void Curve::AddFinite(Step step, double value) {
  const Bin fresh{.first_step = step,
                  .last_step = step,
                  .count = 1,
                  .mean_step = static_cast<double>(step),
                  .mean = value,
                  .m2 = 0,
                  .last_value = value};
  // Nearly every point is the newest.
  const auto at = bins_.empty() || bins_.back().last_step < step ? bins_.end() : LowerBound(bins_, step);
  if (at != bins_.end() && at->first_step <= step) {
    if (at->count == 1) {
      *at = fresh;
      return;
    }
    Join(*at, step, value);
  } else {
    bins_.insert(at, fresh);
  }
  ++points_;
  if (bins_.size() > kMaxBins) Merge();
}

void Curve::AddNonFinite(Step step) {
  const auto at = LowerBound(spans_, step);
  if (at != spans_.end() && at->first_step <= step) {
    if (at->first_step == at->last_step && at->count == 1) return;  // The same step again.
    ++at->count;
  } else {
    spans_.insert(at, Span{.first_step = step, .last_step = step, .count = 1});
  }
  ++non_finite_;
  if (spans_.size() > kMaxSpans) MergeSpans();
}

void Curve::DropSinglePoint(Step step) {
  if (bins_.empty() || bins_.back().last_step < step) return;
  const auto at = LowerBound(bins_, step);
  if (at == bins_.end() || at->first_step != step || at->count != 1) return;
  bins_.erase(at);
  --points_;
}

void Curve::DropSingleSpan(Step step) {
  if (spans_.empty() || spans_.back().last_step < step) return;
  const auto at = LowerBound(spans_, step);
  if (at == spans_.end() || at->first_step != step || at->count != 1) return;
  spans_.erase(at);
  --non_finite_;
}

// Neighbours that share a cell of u(s) become one bin. u grows by 64 with the logarithm of the step and by 64 with the
// step itself, so that at most 129 cells exist, the early ones spaced by the logarithm, and none wider than 1/64 of the
// run.
void Curve::Merge() {
  const double now = static_cast<double>(bins_.back().last_step);
  const double per_log = 64 / std::log1p(now), per_step = 64 / now;
  const auto cell = [&](const Bin& b) {
    return std::floor(per_log * std::log1p(b.mean_step) + per_step * b.mean_step);
  };
  size_t kept = 0;
  double kept_cell = cell(bins_[0]);
  for (size_t i = 1; i < bins_.size(); ++i) {
    const double c = cell(bins_[i]);
    if (c == kept_cell) {
      Join(bins_[kept], bins_[i]);
    } else {
      bins_[++kept] = bins_[i];
      kept_cell = c;
    }
  }
  bins_.resize(kept + 1);
  CURVECAST_CHECK(bins_.size() <= 130);
}

void Curve::MergeSpans() {
  size_t best = 0;
  for (size_t i = 1; i + 1 < spans_.size(); ++i) {
    const Step gap = spans_[i + 1].first_step - spans_[i].last_step;
    if (gap < spans_[best + 1].first_step - spans_[best].last_step) best = i;
  }
  spans_[best].last_step = spans_[best + 1].last_step;
  spans_[best].count += spans_[best + 1].count;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

std::vector<Bin> Curve::Rewind(Step from_step) {
  const auto cut = LowerBound(bins_, from_step);
  std::vector<Bin> removed(std::make_move_iterator(cut), std::make_move_iterator(bins_.end()));
  bins_.erase(cut, bins_.end());
  for (const Bin& b : removed) points_ -= b.count;
  const auto span = LowerBound(spans_, from_step);
  for (auto s = span; s != spans_.end(); ++s) non_finite_ -= s->count;
  spans_.erase(span, spans_.end());
  FindLast();
  return removed;
}

void Curve::FindLast() {
  has_last_ = !bins_.empty() || !spans_.empty();
  last_step_ = 0;
  last_value_ = std::numeric_limits<double>::quiet_NaN();
  if (!bins_.empty()) {
    last_step_ = bins_.back().last_step;
    last_value_ = bins_.back().last_value;
  }
  if (!spans_.empty() && (bins_.empty() || spans_.back().last_step >= last_step_)) {
    last_step_ = spans_.back().last_step;
    last_value_ = std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace curvecast
