#include "core/law/law.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/law/mixture.h"
#include "core/law/observation.h"
#include "core/law/posterior.h"
#include "core/law/shape.h"

namespace curvecast {
namespace {

constexpr double kAgeing = 0.5;       // h: an old point's variance grows by (x_now / x)^(2 / h).
constexpr double kTemper = 0.7;       // Power on the evidence.
constexpr double kTailShare = 0.01;   // The end's value is read off the last 1 % of the run.
constexpr double kStrayMemory = 0.1;  // In log x: how soon the curve's stray from the law is a new one.
constexpr double kNegligible = 1e-3;  // A component's weight over the largest.
constexpr double kEarliest = 0.03;    // Progress.
constexpr size_t kFewest = 2;         // Observations.
constexpr double kRise = 0.08;        // Log level over the lowest.
constexpr double kSteepest = 0.15;    // Slope of log loss in log x that a power law still has.
constexpr double kSteepDoubt = 0.6;   // Log level at the end in doubt for each unit of slope beyond it.
constexpr int kPathPieces = 32;

Forecast Unanswered(Forecast forecast, NotYet reason) {
  forecast.reason = reason;
  return forecast;
}

double FiniteExp(double log_value) { return std::min(std::exp(log_value), std::numeric_limits<double>::max()); }

// One node under one archetype, after the run's points.
struct Member {
  size_t node;
  double weight;
  double stray;
  Posterior posterior;
};

// Why these observations allow no forecast, or kAnswered.
NotYet Judge(const Observations& seen, double progress) {
  if (seen.points.size() < kFewest || progress < kEarliest) return NotYet::kTooFewPoints;
  const double slack = kRise + 4 * std::sqrt(seen.points.back().variance);
  if (progress < 1 && seen.lowest < -slack) return NotYet::kNotFalling;
  return NotYet::kAnswered;
}

// How much of the slope in log x over the newest half of x is more than a power law has: the run is still in the first
// fall from chance, where the law does not hold, and nothing tells yet how long that fall goes on.
double ExcessSlope(const std::vector<Observation>& points) {
  double weight = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Observation& p : points) {
    if (p.share < 0.5 * points.back().share) continue;
    const double w = 1 / p.crowd, at = std::log(p.share);
    weight += w;
    x += w * at;
    y += w * p.level;
    xx += w * at * at;
    xy += w * at * p.level;
  }
  const double spread = xx - x * x / weight;
  if (spread < 1e-3 * weight) return 0;
  return std::max(0.0, -(xy - x * y / weight) / spread - kSteepest);
}

class BankFit {
 public:
  BankFit(const Prior::Kind& prior, const RunClock& clock, const Observations& seen, std::vector<Place> future)
      : bank_(Bank(clock.kind())), seen_(seen), future_(std::move(future)) {
    const double now = seen.points.back().share;
    std::vector<Place> places;
    for (const Observation& p : seen.points) {
      places.push_back({p.share, p.rate});
      age_.push_back(std::pow(now / p.share, 2 / kAgeing));
    }
    for (size_t n = 0; n < bank_.size(); ++n) {
      FindAnneal(n, clock, places);
      FitNode(prior, n);
    }
    Weigh();
  }

  // Log of the level at the run's end, relative to the origin.
  std::vector<Component> End(double tail_variance) const {
    // What the curve strays at the end is partly what it strays now.
    const double now = std::log(seen_.points.back().share);
    const double fresh = -std::expm1(2 * now / kStrayMemory);
    const double doubt = std::min(1.0, -now) * kSteepDoubt * ExcessSlope(seen_.points);
    std::vector<Component> mixture;
    for (const Member& m : members_) {
      const double variance = m.posterior.covariance(0, 0) + tail_variance + fresh * m.stray * m.stray + doubt * doubt;
      mixture.push_back({m.weight, m.posterior.mean(0), std::sqrt(variance)});
    }
    return mixture;
  }

  struct Level {
    double mean, sd;
  };
  // The law's curve at one of the future places: mean and standard deviation over the mixture.
  Level At(size_t place) const {
    double mean = 0, square = 0, variance = 0;
    for (const Member& m : members_) {
      const Eigen::Vector3d f(1, PowerFeature(bank_[m.node].exponent, future_[place].share),
                              future_anneal_[m.node][place]);
      const double level = f.dot(m.posterior.mean);
      mean += m.weight * level;
      square += m.weight * level * level;
      variance += m.weight * f.dot(m.posterior.covariance * f);
    }
    return {mean, std::sqrt(std::max(variance + square - mean * mean, 1e-16))};
  }

 private:
  // Nodes that differ in their exponent alone share the feature.
  void FindAnneal(size_t n, const RunClock& clock, const std::vector<Place>& places) {
    for (size_t m = 0; m < n; ++m) {
      if (bank_[m].anneal != bank_[n].anneal || bank_[m].parameter != bank_[n].parameter) continue;
      anneal_.push_back(anneal_[m]);
      future_anneal_.push_back(future_anneal_[m]);
      return;
    }
    anneal_.push_back(AnnealFeature(bank_[n], clock, places));
    future_anneal_.push_back(AnnealFeature(bank_[n], clock, future_));
  }

  void FitNode(const Prior::Kind& prior, size_t n) {
    std::vector<double> power;
    for (const Observation& p : seen_.points) power.push_back(PowerFeature(bank_[n].exponent, p.share));
    for (const Archetype& a : prior.archetypes) {
      const NodePrior& node = a.nodes[n];
      Evidence evidence;
      for (size_t i = 0; i < seen_.points.size(); ++i) {
        const Observation& p = seen_.points[i];
        const double variance = (p.variance + node.stray * node.stray * p.crowd) * age_[i];
        evidence.Add(power[i], anneal_[n][i], p.level, variance);
      }
      members_.push_back({n, 0, node.stray, Update(node, evidence)});
    }
  }

  void Weigh() {
    double best = -std::numeric_limits<double>::infinity();
    for (const Member& m : members_) best = std::max(best, m.posterior.log_evidence);
    double sum = 0;
    for (Member& m : members_) {
      m.weight = std::exp(kTemper * (m.posterior.log_evidence - best));
      if (m.weight > kNegligible) sum += m.weight;
    }
    std::erase_if(members_, [](const Member& m) { return !(m.weight > kNegligible); });
    for (Member& m : members_) m.weight /= sum;
  }

  const std::vector<Node>& bank_;
  const Observations& seen_;
  const std::vector<Place> future_;
  std::vector<double> age_;
  std::vector<std::vector<double>> anneal_, future_anneal_;  // By node.
  std::vector<Member> members_;
};

double Widen(const Prior::Kind& prior, double progress) {
  const auto& at = Prior::kProgress;
  if (progress <= at.front()) return prior.widen.front();
  for (size_t i = 1; i < at.size(); ++i) {
    if (progress > at[i]) continue;
    const double part = (progress - at[i - 1]) / (at[i] - at[i - 1]);
    return prior.widen[i - 1] + part * (prior.widen[i] - prior.widen[i - 1]);
  }
  return prior.widen.back();
}

// Steps from the newest to the end, both included, evenly spaced.
std::vector<Step> PathSteps(Step newest, Step end) {
  std::vector<Step> steps = {newest};
  for (int k = 1; k <= kPathPieces; ++k) {
    const double part = static_cast<double>(k) / kPathPieces;
    const Step step = k == kPathPieces ? end : newest + static_cast<Step>(static_cast<double>(end - newest) * part);
    if (step > steps.back()) steps.push_back(step);
  }
  return steps;
}

void FillEnd(const BankFit& fit, const Observations& seen, const Prior::Kind& prior, Step total, Forecast& forecast) {
  const double tail_points = std::max(1.0, kTailShare * static_cast<double>(total) * seen.points_per_step);
  const std::vector<Component> mixture = fit.End(seen.noise * seen.noise / tail_points);
  const double median = Quantile(mixture, 0.5);
  const double widen = Widen(prior, forecast.progress);
  double below = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < kQuantileLevels.size(); ++i) {
    const double level = median + widen * (Quantile(mixture, kQuantileLevels[i]) - median);
    below = std::max(below, level);
    forecast.quantiles[i] = FiniteExp(seen.origin + below);
  }
}

// The band along the path has the end's own proportions, scaled by how sure the law is of each place.
void FillPath(const BankFit& fit, const Observations& seen, const std::vector<Step>& steps, Forecast& forecast) {
  const BankFit::Level end = fit.At(steps.size() - 1);
  const auto offset = [&](double value) {
    return std::log(std::max(value, std::numeric_limits<double>::denorm_min())) - seen.origin - end.mean;
  };
  const double low = offset(forecast.quantiles[0]), middle = offset(forecast.quantiles[2]),
               high = offset(forecast.quantiles[4]);
  for (size_t i = 0; i < steps.size(); ++i) {
    const BankFit::Level level = fit.At(i);
    const double scale = level.sd / end.sd, origin = seen.origin + level.mean;
    forecast.path.push_back({steps[i], FiniteExp(origin + scale * low), FiniteExp(origin + scale * middle),
                             FiniteExp(origin + scale * high)});
  }
  forecast.expected_value = FiniteExp(seen.origin + fit.At(0).mean);
}

}  // namespace

Forecast ForecastEnd(const Curve& curve, const Plan& plan, const Prior& prior) {
  Forecast forecast;
  forecast.step = curve.last_step();
  if (plan.maximize) return Unanswered(forecast, NotYet::kUnsupported);
  if (!plan.total_steps.has_value() || *plan.total_steps <= 0) return Unanswered(forecast, NotYet::kNoPlan);
  const Step total = std::max(*plan.total_steps, curve.last_step());
  forecast.progress = std::min(1.0, static_cast<double>(curve.last_step()) / static_cast<double>(*plan.total_steps));
  if (curve.ends_non_finite()) return Unanswered(forecast, NotYet::kNonFinite);
  if (curve.points() == 0) return Unanswered(forecast, NotYet::kTooFewPoints);

  const RunClock clock(plan, curve.last_step());
  if (static_cast<double>(curve.last_step()) <= clock.warmup_end()) return Unanswered(forecast, NotYet::kWarmup);
  const ObserveResult observed = Observe(curve, clock);
  if (observed.outside) return Unanswered(forecast, NotYet::kOutsideLaw);
  const Observations& seen = observed.observations;
  if (const NotYet reason = Judge(seen, forecast.progress); reason != NotYet::kAnswered) {
    return Unanswered(forecast, reason);
  }

  const std::vector<Step> steps = PathSteps(curve.last_step(), total);
  std::vector<Place> future;
  for (Step step : steps) {
    const double at = static_cast<double>(step);
    future.push_back({clock.Share(at), clock.Rate(at)});
  }
  const BankFit fit(prior.Of(clock.kind()), clock, seen, std::move(future));
  forecast.reason = NotYet::kAnswered;
  FillEnd(fit, seen, prior.Of(clock.kind()), total, forecast);
  FillPath(fit, seen, steps, forecast);
  return forecast;
}

}  // namespace curvecast
