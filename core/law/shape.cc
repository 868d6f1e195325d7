#include "core/law/shape.h"

#include <cmath>

#include "core/base/check.h"

namespace curvecast {
namespace {

// Luo et al. 2025, the exponents of the multi-power law fitted on 25M to 400M models.
constexpr double kBeta = 0.59, kGamma = 0.64;

// Adds what the drops before each place have taken effect by then, and by the end: the end is one more place.
template <typename Kernel>
std::vector<double> SumDrops(const RunClock& clock, const std::vector<Place>& places, const Kernel& kernel) {
  const auto effect = [&](double share) {
    double sum = 0;
    for (const RunClock::Drop& d : clock.drops()) {
      if (d.share >= share) break;
      sum -= d.fall * kernel(share - d.share, d.rate);
    }
    return sum;
  };
  const double end = effect(1);
  std::vector<double> features;
  features.reserve(places.size());
  for (const Place& p : places) features.push_back(effect(p.share) - end);
  return features;
}

}  // namespace

double PowerFeature(double exponent, double share) { return std::expm1(-exponent * std::log(share)) / exponent; }

std::vector<double> AnnealFeature(const Node& node, const RunClock& clock, const std::vector<Place>& places) {
  switch (node.anneal) {
    case Anneal::kNone:
      return std::vector<double>(places.size(), 0.0);
    case Anneal::kRatePower: {
      const double end = std::pow(clock.Rate(clock.end()), node.parameter);
      std::vector<double> features;
      features.reserve(places.size());
      for (const Place& p : places) features.push_back(std::pow(p.rate, node.parameter) - end);
      return features;
    }
    case Anneal::kMomentum:
      return SumDrops(clock, places, [&](double since, double) { return -std::expm1(-since / node.parameter); });
    case Anneal::kMultiPower:
      return SumDrops(clock, places, [&](double since, double rate) {
        return 1 - std::pow(1 + node.parameter * std::pow(rate, -kGamma) * since, -kBeta);
      });
  }
  CURVECAST_CHECK(false);
}

}  // namespace curvecast
