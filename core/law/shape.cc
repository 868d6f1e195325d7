#include "core/law/shape.h"

#include <cmath>

#include "core/base/check.h"

namespace curvecast {
namespace {

// Luo et al. 2025, the exponents of the multi-power law fitted on 25M to 400M models.
constexpr double kBeta = 0.59, kGamma = 0.64;

// What the drops before each place have taken effect by then, over what they have by the end: -sum fall *
// kernel(since).
template <typename Kernel>
std::vector<double> SumDrops(const std::vector<RunClock::Drop>& drops, const std::vector<Place>& places,
                             const Kernel& kernel) {
  const auto effect = [&](double share) {
    double sum = 0;
    for (size_t d = 0; d < drops.size() && drops[d].share < share; ++d) sum -= drops[d].fall * kernel(d, share);
    return sum;
  };
  const double end = effect(1);
  std::vector<double> features;
  features.reserve(places.size());
  for (const Place& p : places) features.push_back(effect(p.share) - end);
  return features;
}

// The same for kernel 1 - exp(-since / lag), whose sum over past drops decays as one: one pass over drops and places.
std::vector<double> SumLagged(const std::vector<RunClock::Drop>& drops, const std::vector<Place>& places, double lag) {
  double fallen = 0, pending = 0, at = 0;
  size_t next = 0;
  const auto advance = [&](double share) {
    for (; next < drops.size() && drops[next].share < share; ++next) {
      pending = pending * std::exp((at - drops[next].share) / lag) + drops[next].fall;
      fallen += drops[next].fall;
      at = drops[next].share;
    }
    pending *= std::exp((at - share) / lag);
    at = share;
    return pending - fallen;
  };
  std::vector<double> features;
  features.reserve(places.size());
  for (const Place& p : places) features.push_back(advance(p.share));
  const double end = advance(1);
  for (double& f : features) f -= end;
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
      return SumLagged(clock.drops(), places, node.parameter);
    case Anneal::kMultiPower: {
      std::vector<double> speed;
      for (const RunClock::Drop& d : clock.drops()) speed.push_back(node.parameter * std::pow(d.rate, -kGamma));
      return SumDrops(clock.drops(), places, [&](size_t d, double share) {
        return 1 - std::exp(-kBeta * std::log(1 + speed[d] * (share - clock.drops()[d].share)));
      });
    }
  }
  CURVECAST_CHECK(false);
}

}  // namespace curvecast
