#include "core/calibrate/interval.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace curvecast {
namespace {

constexpr double kCoverage = 0.9;
constexpr double kHalfWidth = 1.6448536269514722;  // Of a Gaussian's 90 % interval, in standard deviations.
constexpr double kLeastFactor = 0.5, kMostFactor = 10;
constexpr double kFewestOutcomes = 20;  // A source with fewer weighs less.
constexpr size_t kFewestSources = 3;

struct Weighted {
  double miss, weight;
};

// The smallest value at or below which `share` of the weight lies.
double WeightedQuantile(std::vector<Weighted> values, double share) {
  std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) { return a.miss < b.miss; });
  double whole = 0, sum = 0;
  for (const Weighted& v : values) whole += v.weight;
  for (const Weighted& v : values) {
    sum += v.weight;
    if (sum >= share * whole) return v.miss;
  }
  return values.back().miss;
}

// The geometric mean of the factors that each source would need.
bool SetFactor(const std::vector<const Outcome*>& near, double& factor) {
  std::map<std::string, std::vector<const Outcome*>> sources;
  for (const Outcome* o : near) sources[o->source].push_back(o);
  if (sources.size() < kFewestSources) return false;
  double sum = 0, whole = 0;
  for (const auto& [name, of] : sources) {
    std::map<std::string, double> families;
    for (const Outcome* o : of) families[o->family] += 1;
    std::vector<Weighted> values;
    for (const Outcome* o : of) values.push_back({o->miss, 1 / families[o->family]});
    const double weight = std::min(1.0, static_cast<double>(of.size()) / kFewestOutcomes);
    const double needed = std::clamp(WeightedQuantile(std::move(values), kCoverage), kLeastFactor, kMostFactor);
    sum += weight * std::log(needed);
    whole += weight;
  }
  factor = std::max(1.0, std::exp(sum / whole));
  return true;
}

}  // namespace

double Miss(const Forecast& forecast, double actual) {
  const double off = std::log(actual / forecast.median());
  const double half = off < 0 ? std::log(forecast.median() / forecast.quantiles[0])
                              : std::log(forecast.quantiles[4] / forecast.median());
  return std::fabs(off) / std::max(half, 1e-12);
}

size_t BucketOf(double progress) {
  size_t best = 0;
  for (size_t b = 1; b < kFactorProgress.size(); ++b) {
    if (std::fabs(progress - kFactorProgress[b]) < std::fabs(progress - kFactorProgress[best])) best = b;
  }
  return best;
}

void LearnFactors(const std::vector<Outcome>& outcomes, Prior& prior) {
  for (size_t s = 0; s < kSupports; ++s) {
    for (size_t b = 0; b < kFactorProgress.size(); ++b) {
      for (size_t k = 0; k < kRateKinds; ++k) {
        std::vector<const Outcome*> near;
        for (const Outcome& o : outcomes) {
          if (static_cast<size_t>(o.kind) != k || static_cast<size_t>(o.support) != s) continue;
          if (BucketOf(o.progress) == b && std::isfinite(o.miss)) near.push_back(&o);
        }
        double& factor = prior.kinds[k].factors[s][b];
        if (!SetFactor(near, factor)) factor = prior.Of(RateKind::kUnknown).factors[s][b];
      }
    }
  }
}

void ProjectMisses::Add(double progress, double miss, const IntervalFactors& factors) {
  if (!std::isfinite(miss)) return;
  std::vector<double>& misses = misses_[BucketOf(progress)];
  if (misses.size() == kMost) misses.erase(misses.begin());
  misses.push_back(miss * FactorAt(factors, progress));
}

IntervalFactors ProjectMisses::Factors(const IntervalFactors& prior) const {
  IntervalFactors factors = prior;
  for (size_t b = 0; b < factors.size(); ++b) {
    if (misses_[b].empty()) continue;
    // The factor within which 90 % of the prior's misses, Gaussian ones, and the project's lie together.
    const double wanted = kCoverage * (kPriorMisses + static_cast<double>(misses_[b].size()));
    double low = kLeastFactor, high = kMostFactor;
    for (int i = 0; i < 40; ++i) {
      const double factor = 0.5 * (low + high);
      double within = kPriorMisses * std::erf(kHalfWidth * factor / prior[b] * M_SQRT1_2);
      for (double miss : misses_[b]) within += miss <= factor ? 1 : 0;
      (within < wanted ? low : high) = factor;
    }
    factors[b] = high;
  }
  return factors;
}

}  // namespace curvecast
