#include "core/law/law.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/law/mixture.h"
#include "core/law/objective.h"
#include "core/law/observation.h"
#include "core/law/posterior.h"

namespace curvecast {
namespace {

constexpr double kTemper = 0.35;      // Power on the evidence.
constexpr double kTraitTemper = 0.3;  // Power on how usual the run's traits are for an archetype.
// Log odds of what the kin say over any archetype, before the points. Without a schedule they share less.
constexpr std::array<double, kRateKinds> kKinOdds = {6, 16};
constexpr double kTailShare = 0.01;   // The end's value is read off the last 1 % of the run.
constexpr double kStrayMemory = 0.1;  // In log x: how soon the curve's stray from the law is a new one.
constexpr double kLikely = 0.1;       // A member's weight.
constexpr double kNegligible = 1e-3;  // A member's weight over the largest.
constexpr double kEarliest = 0.03;    // Progress.
constexpr double kEarliestWarming = 0.1;
constexpr size_t kFewest = 2;  // Observations.
constexpr size_t kFewestWarming = 3;
constexpr double kRise = 0.08;        // Log level over the lowest.
constexpr double kSteepestFall = 25;  // Of the relative rate, a run: all of it in 4 % of the steps.
constexpr double kSteepWorth = 0.05;  // Relative rate that is left to fall: less than that does not matter.
constexpr double kMostRise = 0.1;     // Log of the median end over the newest level.
constexpr double kMostFall = 2;       // The same, downward.
constexpr double kMisfit = 6;  // Standard deviations that the newer observations lie off the law, root mean square,
constexpr double kMisfitLevel = 0.05;  // and this far in log level.
constexpr int kPathPieces = 32;
constexpr double kLeastVariance = 1e-12;

Forecast Unanswered(Forecast forecast, NotYet reason) {
  forecast.reason = reason;
  return forecast;
}

double FiniteExp(double log_value) { return std::min(std::exp(log_value), std::numeric_limits<double>::max()); }

// Why these observations allow no forecast, or kAnswered.
NotYet Judge(const Observations& seen, double progress, double noise) {
  if (seen.points.empty() || progress < kEarliest) return NotYet::kTooFewPoints;
  if (seen.points.back().warming && (seen.points.size() < kFewestWarming || progress < kEarliestWarming)) {
    return NotYet::kWarmup;
  }
  if (seen.points.size() < kFewest) return NotYet::kTooFewPoints;
  const Observation& newest = seen.points.back();
  const double slack = kRise + 4 * noise / std::sqrt(newest.count);
  if (progress < 1 && seen.lowest < -slack) return NotYet::kNotFalling;
  return NotYet::kAnswered;
}

// One belief after the run's points.
struct Member {
  double weight;  // Log of it until Weigh.
  double stray, noise;
  const Bend* bend;  // Of the belief.
  Posterior posterior;
};

// The mixture of all beliefs, weighed by how well each foresaw the points.
class Bank {
 public:
  Bank(const Prior& all, RateKind kind, const Belief* kin, const Traits& traits, const Observations& seen)
      : seen_(seen) {
    const Prior::Kind& prior = all.Of(kind);
    const Archetype& any = prior.any();
    Coefficients mean = any.MeanOf(traits);
    mean(0) = 0;
    const double noise = PointNoise(seen, Residuals(seen, mean), any.noise);
    const Evidence evidence = Weigh(seen, any.stray, noise);
    const bool sized = traits.known.test(Traits::kTokensPerStep) && traits.known.test(Traits::kParameters);
    for (const Archetype& a : prior.archetypes) {
      if (a.apart) {
        AddApart(a, traits);
        continue;
      }
      Coefficients at = a.MeanOf(traits);
      const double odds = kTraitTemper * a.LogDensity(traits);
      if (a.knows_level && sized) {
        at(0) -= seen.origin;
        Add(a.tight, at, evidence, any.stray, noise, odds);
      }
      at(0) = 0;
      Add(a.loose, at, evidence, any.stray, noise, odds);
    }
    Add(prior.free, mean, evidence, any.stray, noise, kTraitTemper * any.LogDensity(traits));
    if (kin != nullptr) AddKin(*kin, kKinOdds[static_cast<size_t>(kind)]);
    Normalize();
    Join();
  }

  // Log of the level at the run's end, relative to the origin.
  std::vector<Component> End(double tail_points) const {
    // What the curve strays at the end is partly what it strays now.
    const double fresh = -std::expm1(2 * std::log(seen_.newest_share()) / kStrayMemory);
    std::vector<Component> mixture;
    for (const Member& m : members_) {
      const double variance =
          m.posterior.covariance(0, 0) + m.noise * m.noise / tail_points + fresh * m.stray * m.stray;
      mixture.push_back({m.weight, m.posterior.mean(0) + m.bend->end, std::sqrt(variance)});
    }
    return mixture;
  }

  // Whether the newer observations lie far off the law's curve, whichever of the likelier beliefs one takes.
  bool MissesThePoints() const {
    for (const Member& m : members_) {
      if (m.weight > kLikely && !Misses(m)) return false;
    }
    return true;
  }

  struct Level {
    double mean, sd;
  };
  // The law's curve at a place: mean and standard deviation over the mixture.
  Level At(const FeatureRow& row) const {
    return {row.dot(mean_), std::sqrt(std::max(row.dot(covariance_ * row), 1e-16))};
  }

 private:
  void Add(const Belief& belief, const Coefficients& mean, const Evidence& evidence, double stray, double noise,
           double log_odds) {
    Posterior posterior = Update(belief, mean, evidence);
    if (!std::isfinite(posterior.log_evidence)) return;
    const double weight = kTemper * posterior.log_evidence + log_odds;
    members_.push_back({weight, stray, noise, &belief.bend, std::move(posterior)});
  }

  void AddApart(const Archetype& a, const Traits& traits) {
    Coefficients at = a.MeanOf(traits);
    at(0) = 0;
    const double noise = PointNoise(seen_, Residuals(seen_, at), a.noise);
    Add(a.loose, at, Weigh(seen_, a.stray, noise), a.stray, noise, kTraitTemper * a.LogDensity(traits));
  }

  void AddKin(const Belief& kin, double odds) {
    Coefficients mean = kin.mean;
    mean(0) -= seen_.origin;
    const Observations straight = Straighten(seen_, kin.bend);
    const double noise = PointNoise(straight, Residuals(straight, mean), kin.noise);
    Add(kin, mean, Weigh(straight, kin.stray, noise), kin.stray, noise, odds);
  }

  bool Misses(const Member& m) const {
    double square = 0, expected = 0, n = 0;
    for (size_t i = 0; i < seen_.points.size(); ++i) {
      const Observation& p = seen_.points[i];
      if (p.warming || p.share < 0.3 * seen_.newest_share()) continue;
      const double off = p.level - m.bend->At(p.progress) - seen_.rows[i].dot(m.posterior.mean);
      square += off * off;
      expected += m.noise * m.noise / p.count + m.stray * m.stray * p.crowd + p.variance;
      n += 1;
    }
    return square > kMisfitLevel * kMisfitLevel * n && square > kMisfit * kMisfit * expected;
  }

  void Normalize() {
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    for (const Member& m : members_) best = std::max(best, m.weight);
    for (Member& m : members_) {
      m.weight = std::exp(m.weight - best);
      if (m.weight > kNegligible) sum += m.weight;
    }
    std::erase_if(members_, [](const Member& m) { return !(m.weight > kNegligible); });
    for (Member& m : members_) m.weight /= sum;
  }

  void Join() {
    for (const Member& m : members_) mean_ += m.weight * m.posterior.mean;
    for (const Member& m : members_) {
      const Coefficients off = m.posterior.mean - mean_;
      covariance_ += m.weight * (m.posterior.covariance + off * off.transpose());
    }
  }

  const Observations& seen_;
  std::vector<Member> members_;
  Coefficients mean_ = Coefficients::Zero();
  CoefficientMatrix covariance_ = CoefficientMatrix::Zero();
};

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

void FillEnd(const Bank& bank, const Observations& seen, const IntervalFactors& factors, Step total,
             Forecast& forecast) {
  const std::vector<Component> mixture =
      bank.End(std::max(1.0, kTailShare * static_cast<double>(total) * seen.points_per_step));
  const double median = Quantile(mixture, 0.5), factor = FactorAt(factors, forecast.progress);
  double below = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < kQuantileLevels.size(); ++i) {
    const double level = median + factor * (Quantile(mixture, kQuantileLevels[i]) - median);
    below = std::max(below, level);
    forecast.quantiles[i] = FiniteExp(seen.origin + below);
  }
}

// The band along the path has the end's own proportions, scaled by how sure the law is of each place.
void FillPath(const Bank& bank, const Observations& seen, const RunClock& clock, const std::vector<Step>& steps,
              Forecast& forecast) {
  std::vector<Place> places;
  for (Step step : steps) {
    const double at = static_cast<double>(step);
    places.push_back({clock.Share(at), clock.Rate(at)});
  }
  const std::vector<FeatureRow> rows = Features(clock, places);
  const Bank::Level end = bank.At(rows.back());
  const auto offset = [&](double value) {
    return std::log(std::max(value, std::numeric_limits<double>::denorm_min())) - seen.origin - end.mean;
  };
  const double low = offset(forecast.quantiles[0]), middle = offset(forecast.quantiles[2]),
               high = offset(forecast.quantiles[4]);
  for (size_t i = 0; i < steps.size(); ++i) {
    const Bank::Level level = bank.At(rows[i]);
    const double scale = level.sd / end.sd, origin = seen.origin + level.mean;
    forecast.path.push_back({steps[i], FiniteExp(origin + scale * low), FiniteExp(origin + scale * middle),
                             FiniteExp(origin + scale * high)});
  }
  forecast.expected_value = FiniteExp(seen.origin + bank.At(rows[0]).mean);
}

// How far the newest points lie above what the kin say of them before the run's points: most of them, so that a spike
// among them does not count.
void CompareWithKin(const Belief& kin, const Observations& seen, LeanedOn& leaned) {
  FeatureRow row = FeatureRow::Zero();
  double count = 0, expected = 0;
  std::vector<std::pair<double, double>> offs;  // And for how many points.
  for (size_t i = seen.points.size() - seen.newest; i < seen.points.size(); ++i) {
    const Observation& point = seen.points[i];
    expected = seen.rows[i].dot(kin.mean) + kin.bend.At(point.progress);
    offs.emplace_back(seen.origin + point.level - expected, point.count);
    row += point.count * seen.rows[i];
    count += point.count;
  }
  row /= count;
  std::sort(offs.begin(), offs.end());
  size_t middle = 0;  // Of the points, not of the bins.
  for (double below = offs[0].second; below < 0.5 * count && middle + 1 < offs.size(); below += offs[middle].second) {
    ++middle;
  }
  const double variance = row.dot(kin.covariance * row) + kin.stray * kin.stray + kin.noise * kin.noise / count;
  leaned.deviation = offs[middle].first / std::sqrt(std::max(variance, kLeastVariance));
  leaned.expected = FiniteExp(expected);
}

}  // namespace

Forecast ForecastEnd(const Curve& curve, const Plan& plan, const Prior& prior, const Lean& lean) {
  Forecast forecast;
  forecast.step = curve.last_step();
  if (!plan.total_steps.has_value() || *plan.total_steps <= 0) return Unanswered(forecast, NotYet::kNoPlan);
  const Step total = std::max(*plan.total_steps, curve.last_step());
  forecast.progress = std::min(1.0, static_cast<double>(curve.last_step()) / static_cast<double>(*plan.total_steps));
  if (curve.ends_non_finite()) return Unanswered(forecast, NotYet::kNonFinite);
  if (curve.points() == 0 || forecast.progress < kEarliest) return Unanswered(forecast, NotYet::kTooFewPoints);
  const std::optional<Objective> objective = plan.maximize ? Objective::Share(curve) : Objective::Loss();
  if (!objective.has_value()) return Unanswered(forecast, NotYet::kUnsupported);

  const RunClock clock(plan, curve.last_step());
  const double newest = static_cast<double>(curve.last_step()), left = clock.end() - newest;
  const double fall = clock.Rate(newest) - clock.Rate(clock.end());
  if (fall > kSteepWorth && fall * clock.end() > kSteepestFall * left && newest > clock.warmup_end()) {
    return Unanswered(forecast, NotYet::kTooSteep);
  }
  const ObserveResult observed = Observe(curve, clock, *objective);
  if (observed.outside) return Unanswered(forecast, NotYet::kOutsideLaw);
  const Observations& seen = observed.observations;
  const Prior::Kind& kind = prior.Of(clock.kind());
  if (const NotYet reason = Judge(seen, forecast.progress, kind.any().noise); reason != NotYet::kAnswered) {
    return Unanswered(forecast, reason);
  }

  const Bank bank(prior, clock.kind(), lean.kin, TraitsOf(plan, clock), seen);
  if (forecast.progress < 1 && bank.MissesThePoints()) return Unanswered(forecast, NotYet::kOffLaw);
  const Support support = lean.kin != nullptr ? Support::kKin : Support::kNone;
  const IntervalFactors& factors = lean.factors != nullptr ? *lean.factors : kind.factors[static_cast<size_t>(support)];
  forecast.reason = NotYet::kAnswered;
  FillEnd(bank, seen, factors, total, forecast);
  const double ahead = std::log(forecast.median()) - seen.origin;
  if (forecast.progress < 1 && !(ahead < kMostRise && ahead > -kMostFall)) {
    forecast.quantiles = {};
    return Unanswered(forecast, NotYet::kOffLaw);
  }
  FillPath(bank, seen, clock, PathSteps(curve.last_step(), total), forecast);
  if (lean.kin != nullptr) CompareWithKin(*lean.kin, seen, forecast.leaned);
  objective->Restore(forecast);
  return forecast;
}

}  // namespace curvecast
