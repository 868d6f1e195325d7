#include "core/law/archetype_train.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "Eigen/LU"
#include "core/base/check.h"
#include "core/law/posterior.h"

namespace curvecast {
namespace {

constexpr int kRounds = 12;
constexpr int kNoiseRounds = 3;       // After which a run's noise is held.
constexpr double kBorrowed = 6;       // Families' worth of spread that an archetype takes from the pool.
constexpr double kRidge = 1;          // Runs' worth of doubt that a trait matters.
constexpr double kRunsPerFamily = 3;  // At most, in the regression's weight.
constexpr double kLeastStray = 0.001;
constexpr double kLeastVariance = 1e-6;
constexpr double kMargin = 0.5;        // How far beyond the runs' own traits the regression is followed.
constexpr double kLeastSpread = 0.05;  // Of a trait that is to matter, as a standard deviation.
constexpr int kLevelFamilies = 20;     // From which a source's final losses are taken to follow from its traits.
constexpr size_t kLeastPoints = 3;

using Slopes = Eigen::Matrix<double, kTraits, kCoefficients>;
using TraitVector = Eigen::Matrix<double, kTraits, 1>;
using TraitMatrix = Eigen::Matrix<double, kTraits, kTraits>;

// The value below which `share` of the values lie.
double Percentile(std::vector<double> values, double share) {
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

class Training {
 public:
  Training(std::string name, const std::vector<Example>& examples) : examples_(examples) {
    a_.name = std::move(name);
    a_.runs = static_cast<int>(examples.size());
    WeighFamilies();
    ReadTraits();
    a_.covariance = 0.04 * CoefficientMatrix::Identity();
    a_.covariance(0, 0) = 1;
    a_.mean.setConstant(0.05);
    a_.mean(0) = 0;
    for (size_t i = 0; i < examples.size(); ++i) a_.mean(0) += weights_[i] * examples[i].seen.origin;
    a_.stray = 0.005;
    noises_.assign(examples.size(), a_.noise);
  }

  Archetype Learn() {
    for (round_ = 0; round_ < kRounds; ++round_) {
      Expect();
      Maximise();
    }
    a_.knows_level = a_.families >= kLevelFamilies && used_[Traits::kTokensPerStep] && used_[Traits::kParameters];
    return a_;
  }

 private:
  void WeighFamilies() {
    std::map<std::string, double> sizes;
    for (const Example& e : examples_) sizes[e.family] += 1;
    a_.families = static_cast<int>(sizes.size());
    for (const Example& e : examples_) {
      weights_.push_back(1 / (sizes[e.family] * static_cast<double>(sizes.size())));
    }
  }

  // A trait is used if all runs have it and it differs between them.
  void ReadTraits() {
    const double n = static_cast<double>(examples_.size());
    for (size_t t = 0; t < kTraits; ++t) {
      std::vector<double> values;
      double sum = 0, square = 0;
      for (const Example& e : examples_) {
        if (!e.traits.known.test(t)) break;
        values.push_back(e.traits.values[t]);
        sum += values.back();
        square += values.back() * values.back();
      }
      if (values.size() < examples_.size()) continue;
      used_[t] = square / n - (sum / n) * (sum / n) > kLeastSpread * kLeastSpread;
      a_.low[t] = Percentile(values, 0.02) - kMargin;
      a_.high[t] = Percentile(values, 0.98) + kMargin;
      for (size_t i = 0; i < values.size(); ++i) {
        a_.center[t] += weights_[i] * std::clamp(values[i], a_.low[t], a_.high[t]);
      }
      a_.spread[t] = std::max(std::sqrt(std::max(0.0, square / n - (sum / n) * (sum / n))), 0.01);
    }
    for (const Example& e : examples_) {
      TraitVector offs = TraitVector::Zero();
      for (size_t t = 0; t < kTraits; ++t) {
        if (!used_[t]) continue;
        offs(static_cast<Eigen::Index>(t)) = std::clamp(e.traits.values[t], a_.low[t], a_.high[t]) - a_.center[t];
      }
      offs_.push_back(offs);
    }
  }

  void Expect() {
    Belief belief;
    CURVECAST_CHECK(SetCovariance(a_.covariance, belief));
    means_.clear();
    covariances_.clear();
    strays_.clear();
    for (size_t i = 0; i < examples_.size(); ++i) {
      const Observations& seen = examples_[i].seen;
      Coefficients mean = a_.mean + a_.slopes.transpose() * offs_[i];
      mean(0) -= seen.origin;
      if (round_ < kNoiseRounds) noises_[i] = PointNoise(seen, Residuals(seen, mean), a_.noise);
      Posterior posterior = Update(belief, mean, Weigh(seen, a_.stray, noises_[i]));
      strays_.push_back(StrayOf(seen, posterior.mean, noises_[i]));
      posterior.mean(0) += seen.origin;
      means_.push_back(posterior.mean);
      covariances_.push_back(posterior.covariance);
    }
  }

  void Maximise() {
    a_.mean.setZero();
    for (size_t i = 0; i < means_.size(); ++i) a_.mean += weights_[i] * means_[i];
    a_.slopes = LearnSlopes();
    a_.covariance = kLeastVariance * CoefficientMatrix::Identity();
    double stray = 0, log_noise = 0;
    for (size_t i = 0; i < means_.size(); ++i) {
      const Coefficients off = means_[i] - a_.mean - a_.slopes.transpose() * offs_[i];
      a_.covariance += weights_[i] * (off * off.transpose() + covariances_[i]);
      stray += weights_[i] * strays_[i];
      log_noise += weights_[i] * std::log(noises_[i]);
    }
    a_.stray = std::max(kLeastStray, stray);
    a_.noise = std::exp(log_noise);
  }

  Slopes LearnSlopes() const {
    double squares = 0;
    for (double w : weights_) squares += w * w;
    const double worth = std::min(1 / squares, kRunsPerFamily * a_.families);
    TraitMatrix spread = TraitMatrix::Identity() * (kRidge / worth);
    Slopes together = Slopes::Zero();
    for (size_t i = 0; i < means_.size(); ++i) {
      spread += weights_[i] * offs_[i] * offs_[i].transpose();
      together += weights_[i] * offs_[i] * (means_[i] - a_.mean).transpose();
    }
    return spread.inverse() * together;
  }

  const std::vector<Example>& examples_;
  Archetype a_;
  int round_ = 0;
  std::array<bool, kTraits> used_ = {};
  std::vector<double> weights_, noises_, strays_;
  std::vector<TraitVector> offs_;
  std::vector<Coefficients> means_;
  std::vector<CoefficientMatrix> covariances_;
};

// The Gaussian with the mean and covariance of the mixture of some archetypes, at their centers.
Archetype Pool(const std::vector<const Archetype*>& archetypes) {
  Archetype any;
  any.name = "any";
  const double share = 1 / static_cast<double>(archetypes.size());
  any.covariance.setZero();
  any.stray = 0;
  double log_noise = 0;
  for (const Archetype* a : archetypes) {
    any.runs += a->runs;
    any.families += a->families;
    any.mean += share * a->mean;
    any.stray += share * a->stray;
    log_noise += share * std::log(a->noise);
  }
  any.noise = std::exp(log_noise);
  for (const Archetype* a : archetypes) {
    const Coefficients off = a->mean - any.mean;
    any.covariance += share * (a->covariance + off * off.transpose());
  }
  return any;
}

// An archetype of few families does not know how much its own runs can differ: it borrows from the spread of the pool.
// Its level is its own, and doubted in the same measure.
void Broaden(const Archetype& pool, Archetype& a) {
  if (a.families == 0) return;  // It was not learned from runs, and is as wide as it is meant to be.
  const double families = static_cast<double>(a.families), own = families / (families + kBorrowed);
  const Coefficients level = a.covariance.col(0);
  a.covariance = own * a.covariance + (1 - own) * pool.covariance;
  a.covariance.col(0) = own * level;
  a.covariance.row(0) = own * level.transpose();
  a.covariance(0, 0) = level(0) / own;
  a.stray = own * a.stray + (1 - own) * pool.stray;
}

}  // namespace

std::optional<Example> MakeExample(std::string family, const Curve& curve, Plan plan, RateKind kind) {
  if (!plan.total_steps.has_value() || plan.maximize || curve.points() == 0 || curve.ends_non_finite()) {
    return std::nullopt;
  }
  if (static_cast<double>(curve.last_step()) < kFinished * static_cast<double>(*plan.total_steps)) return std::nullopt;
  if (curve.last_step() <= 0) return std::nullopt;
  if (kind == RateKind::kUnknown) plan.schedule.reset();
  const RunClock clock(plan, curve.last_step());
  if (clock.kind() != kind) return std::nullopt;
  ObserveResult observed = Observe(curve, clock, Objective::Loss());
  if (observed.outside || observed.observations.points.size() < kLeastPoints) return std::nullopt;
  return Example{std::move(family), TraitsOf(plan, clock), std::move(observed.observations)};
}

Archetype TrainArchetype(std::string name, const std::vector<Example>& examples) {
  CURVECAST_CHECK(examples.size() >= kFewestExamples);
  return Training(std::move(name), examples).Learn();
}

void SetArchetypes(std::vector<Archetype> sources, Prior::Kind& kind) {
  std::vector<const Archetype*> pooled, apart;
  for (const Archetype& a : sources) (a.apart ? apart : pooled).push_back(&a);
  CURVECAST_CHECK(!pooled.empty());
  const Archetype any = Pool(pooled), odd = apart.empty() ? any : Pool(apart);
  for (Archetype& a : sources) Broaden(a.apart ? odd : any, a);
  kind.archetypes = std::move(sources);
  kind.archetypes.push_back(any);
}

}  // namespace curvecast
