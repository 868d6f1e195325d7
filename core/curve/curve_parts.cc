#include <algorithm>
#include <cmath>
#include <utility>

#include "core/curve/curve.h"

namespace curvecast {
namespace {

template <typename T>
bool InOrder(const std::vector<T>& items) {
  Step from = 0;
  for (const T& item : items) {
    if (item.first_step < from || item.last_step < item.first_step || item.last_step > kMaxStep) return false;
    if (item.count < 1 || item.count > kMaxStep) return false;
    from = item.last_step + 1;
  }
  return true;
}

// A mean may lie outside of its steps by a rounding error.
bool IsSound(const Bin& bin) {
  const bool placed = bin.mean_step >= static_cast<double>(bin.first_step) - 0.5 &&
                      bin.mean_step <= static_cast<double>(bin.last_step) + 0.5;
  return placed && std::isfinite(bin.mean) && std::isfinite(bin.m2) && std::isfinite(bin.last_value);
}

}  // namespace

Curve::Parts Curve::parts() const {
  Parts parts{.bins = bins_, .spans = spans_, .last_step = std::nullopt, .last_value = last_value_};
  if (has_last_) parts.last_step = last_step_;
  return parts;
}

std::optional<Curve> Curve::FromParts(Parts parts) {
  if (parts.bins.size() > kMaxBins || parts.spans.size() > kMaxSpans) return std::nullopt;
  if (!InOrder(parts.bins) || !InOrder(parts.spans)) return std::nullopt;
  if (!std::all_of(parts.bins.begin(), parts.bins.end(), IsSound)) return std::nullopt;
  Curve curve;
  curve.bins_ = std::move(parts.bins);
  curve.spans_ = std::move(parts.spans);
  for (const Bin& bin : curve.bins_) curve.points_ += bin.count;
  for (const Span& span : curve.spans_) curve.non_finite_ += span.count;
  curve.FindLast();
  if (curve.has_last_ != parts.last_step.has_value()) return std::nullopt;
  if (!parts.last_step) return curve;
  // A value that replaced a NaN at the newest step is not always its bin's newest.
  if (*parts.last_step != curve.last_step_ || std::isinf(parts.last_value)) return std::nullopt;
  curve.last_value_ = std::isnan(parts.last_value) ? std::numeric_limits<double>::quiet_NaN() : parts.last_value;
  return curve;
}

}  // namespace curvecast
