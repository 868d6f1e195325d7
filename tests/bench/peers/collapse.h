#pragma once

#include <optional>
#include <vector>

#include "tests/bench/peers/prefix.h"

namespace curvecast::peers {

// Scaling collapse (Qiu et al. 2025; Bergsma et al. 2025): finished runs of one family, each divided by its own end,
// lie on one curve of the share of the summed rate that is spent. All are pure; any doubles may come in.

// A finished run's values over its end, at the shares where it has points, and 1 at the share 1.
inline constexpr double kFirstShare = 0.01;
struct CollapsedCurve {
  std::vector<double> shares, values;  // In order of share; at least two.
};

// Nothing if it has no point past kFirstShare, or if `actual` (its end) is not above 0.
std::optional<CollapsedCurve> Collapse(const Prefix& whole, double actual);

// Their mean (of those that reach so far back; linear between points) is scaled to fit the prefix: the end is the
// factor, the mean of log(value / curve) over the newest 10 % of the steps. Needs one sibling and one such point.
std::optional<double> CollapseEarlyAlign(const Prefix& prefix, const std::vector<const CollapsedCurve*>& siblings);

}  // namespace curvecast::peers
