#include "tests/bench/peers/collapse.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace curvecast::peers {
namespace {

constexpr double kAligned = 0.9;  // Of the newest step, and past it.
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Without a schedule steps stand for the summed rate.
double ShareOf(const Prefix& prefix, double step) {
  if (prefix.schedule == nullptr) return step / prefix.total;
  const double whole = prefix.schedule->SummedRate(prefix.total);
  return whole > 0 ? prefix.schedule->SummedRate(step) / whole : kNaN;
}

struct SharePoint {
  double step, share, value;
};

// Finite and positive, past the first share; never falling in share.
std::vector<SharePoint> Usable(const Prefix& prefix) {
  std::vector<SharePoint> points;
  for (size_t i = 0; i < prefix.steps.size(); ++i) {
    const double share = ShareOf(prefix, prefix.steps[i]);
    if (!(share >= kFirstShare) || !(prefix.values[i] > 0) || !std::isfinite(prefix.values[i])) continue;
    points.push_back({prefix.steps[i], std::min(share, 1.0), prefix.values[i]});
  }
  return points;
}

// NaN before the curve's first point.
double ValueAt(const CollapsedCurve& curve, double share) {
  const auto next = std::upper_bound(curve.shares.begin(), curve.shares.end(), share);
  if (next == curve.shares.begin()) return kNaN;
  if (next == curve.shares.end()) return curve.values.back();
  const auto i = static_cast<size_t>(next - curve.shares.begin());
  const double part = (share - curve.shares[i - 1]) / (curve.shares[i] - curve.shares[i - 1]);
  return curve.values[i - 1] + (curve.values[i] - curve.values[i - 1]) * part;
}

double MeanAt(const std::vector<const CollapsedCurve*>& curves, double share) {
  double count = 0, sum = 0;
  for (const CollapsedCurve* curve : curves) {
    const double value = ValueAt(*curve, share);
    if (!std::isfinite(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : kNaN;
}

}  // namespace

std::optional<CollapsedCurve> Collapse(const Prefix& whole, double actual) {
  if (!(actual > 0) || !std::isfinite(actual) || !(whole.total > 0)) return std::nullopt;
  const std::vector<SharePoint> points = Usable(whole);
  if (points.empty()) return std::nullopt;
  CollapsedCurve curve;
  for (const SharePoint& point : points) {
    curve.shares.push_back(point.share);
    curve.values.push_back(point.value / actual);
  }
  curve.shares.push_back(1);
  curve.values.push_back(1);  // The end, by definition.
  return curve;
}

std::optional<double> CollapseEarlyAlign(const Prefix& prefix, const std::vector<const CollapsedCurve*>& siblings) {
  if (siblings.empty() || !(prefix.total > 0)) return std::nullopt;
  const std::vector<SharePoint> points = Usable(prefix);
  if (points.empty()) return std::nullopt;
  double sum = 0;
  size_t count = 0;
  for (const SharePoint& point : points) {
    if (point.step < kAligned * points.back().step) continue;
    const double ratio = std::log(point.value / MeanAt(siblings, point.share));
    if (!std::isfinite(ratio)) continue;
    sum += ratio;
    ++count;
  }
  if (count == 0) return std::nullopt;
  const double end = std::exp(sum / static_cast<double>(count));
  return std::isfinite(end) && end > 0 ? std::optional<double>(end) : std::nullopt;
}

}  // namespace curvecast::peers
