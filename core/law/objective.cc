#include "core/law/objective.h"

#include <algorithm>

namespace curvecast {

std::optional<Objective> Objective::Share(const Curve& curve) {
  double low = 0, high = 0;
  for (const Bin& bin : curve.bins()) {
    low = std::min(low, bin.mean);
    high = std::max(high, bin.mean);
  }
  if (low < 0 || !(high <= 100)) return std::nullopt;
  return Objective(high <= 1 ? 1 : 100);
}

void Objective::Restore(Forecast& forecast) const {
  if (!whole_.has_value()) return;
  const double whole = *whole_;
  const auto restored = [whole](double loss) { return std::max(0.0, whole - loss); };
  std::reverse(forecast.quantiles.begin(), forecast.quantiles.end());
  for (double& q : forecast.quantiles) q = restored(q);
  forecast.expected_value = restored(forecast.expected_value);
  for (PathPoint& p : forecast.path) p = {p.step, restored(p.p95), restored(p.p50), restored(p.p05)};
}

}  // namespace curvecast
