#include "core/law/prior.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kLeastSpread = 0.5;  // Of a trait: nearer than that, runs are alike in it.
constexpr double kUnknownTrait = -1;  // Log density of a trait that an archetype's runs lack.
constexpr double kFreedom = 4;        // Of "free": its spread over that of "any".

CoefficientMatrix WithoutLevel(CoefficientMatrix covariance) {
  covariance.row(0).setZero();
  covariance.col(0).setZero();
  covariance(0, 0) = kLevelSd * kLevelSd;
  return covariance;
}

bool PrepareBelief(const CoefficientMatrix& covariance, const Archetype& a, Belief& belief) {
  belief.mean = a.mean;
  belief.stray = a.stray;
  belief.noise = a.noise;
  return SetCovariance(covariance, belief);
}

}  // namespace

Coefficients Archetype::MeanOf(const Traits& traits) const {
  Coefficients at = mean;
  for (size_t i = 0; i < kTraits; ++i) {
    if (!traits.known.test(i)) continue;
    const double off = std::clamp(traits.values[i], low[i], high[i]) - center[i];
    at += off * slopes.row(static_cast<Eigen::Index>(i)).transpose();
  }
  return at;
}

double Archetype::LogDensity(const Traits& traits) const {
  double sum = 0;
  for (size_t i = 0; i < kTraits; ++i) {
    if (!traits.known.test(i)) continue;
    if (spread[i] == 0) {
      sum += kUnknownTrait;
      continue;
    }
    const double wide = std::hypot(spread[i], kLeastSpread), off = (traits.values[i] - center[i]) / wide;
    // Student's t with 3 degrees of freedom.
    sum -= std::log(wide) + 2 * std::log1p(off * off / 3);
  }
  return sum;
}

double FactorAt(const IntervalFactors& factors, double progress) {
  const auto& at = kFactorProgress;
  if (progress <= at.front()) return factors.front();
  for (size_t i = 1; i < at.size(); ++i) {
    if (progress > at[i]) continue;
    const double part = (progress - at[i - 1]) / (at[i] - at[i - 1]);
    return factors[i - 1] + part * (factors[i] - factors[i - 1]);
  }
  return factors.back();
}

bool Prior::Prepare() {
  for (Kind& kind : kinds) {
    for (Archetype& a : kind.archetypes) {
      if (!PrepareBelief(a.covariance, a, a.tight) || !PrepareBelief(WithoutLevel(a.covariance), a, a.loose)) {
        return false;
      }
    }
    const Archetype& any = kind.any();
    Belief kin;
    if (!SetCovariance(kind.kinship.within, kin)) return false;
    if (!PrepareBelief(WithoutLevel(kFreedom * kFreedom * any.covariance), any, kind.free)) return false;
  }
  return true;
}

}  // namespace curvecast
