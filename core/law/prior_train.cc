#include "core/law/prior_train.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/law/observation.h"
#include "core/law/posterior.h"
#include "core/law/shape.h"

namespace curvecast {
namespace {

constexpr int kRounds = 20;
constexpr double kAgeingOfEvidence = 0.7;  // As in the law, but milder: the whole of the run has to be held.
constexpr double kEnd = 0.97;              // Progress from which a run counts as finished.
constexpr double kCoverage = 0.9;
constexpr double kLeastFactor = 0.5;
constexpr double kBorrowed = 6;         // Families' worth of spread that an archetype takes from the pool.
constexpr double kFreedom = 4;          // Of the archetype "free": its spread over that of the pool.
constexpr double kFewestOutcomes = 20;  // A source with fewer weighs less in the interval factors.
constexpr size_t kFewestSources = 3;    // Below, a kind takes the factors of kUnknown.
constexpr double kLeastStray = 0.003;   // No law holds to less than this.
constexpr double kLeastVariance = 1e-5;
// Where learning starts, and what stands for a kind that no source has.
constexpr NodePrior kUntaught = {.mean2 = 0.1, .mean3 = 0.1, .var22 = 0.04, .var23 = 0, .var33 = 0.04, .stray = 0.01};

// A finished run at every node.
struct Example {
  double weight = 1;
  std::vector<Observation> points;
  std::vector<std::vector<double>> power, anneal;  // By node, then point.
};

bool MakeExample(const Curve& curve, const Plan& plan, RateKind kind, Example& example) {
  if (!plan.total_steps.has_value() || plan.maximize || curve.ends_non_finite()) return false;
  if (static_cast<double>(curve.last_step()) < kEnd * static_cast<double>(*plan.total_steps)) return false;
  const RunClock clock(plan, curve.last_step());
  if (clock.kind() != kind) return false;
  ObserveResult observed = Observe(curve, clock);
  if (observed.outside || observed.observations.points.size() < 5) return false;
  example.points = std::move(observed.observations.points);
  std::vector<Place> places;
  for (const Observation& p : example.points) places.push_back({p.share, p.rate});
  for (const Node& node : Bank(kind)) {
    std::vector<double> power;
    for (const Place& p : places) power.push_back(PowerFeature(node.exponent, p.share));
    example.power.push_back(std::move(power));
    example.anneal.push_back(AnnealFeature(node, clock, places));
  }
  return true;
}

// Sums for the next round of one node.
struct Round {
  double weight = 0, stray = 0;
  Eigen::Vector2d mean = Eigen::Vector2d::Zero();
  Eigen::Matrix2d second = Eigen::Matrix2d::Zero();

  void Add(const Example& example, size_t n, const NodePrior& prior) {
    Evidence evidence;
    for (size_t i = 0; i < example.points.size(); ++i) {
      const Observation& p = example.points[i];
      const double age = std::pow(p.share, -2 / kAgeingOfEvidence);
      const double variance = (p.variance + prior.stray * prior.stray * p.crowd) * age;
      evidence.Add(example.power[n][i], example.anneal[n][i], p.level, variance);
    }
    const Posterior posterior = Update(prior, evidence);
    weight += example.weight;
    const Eigen::Vector2d c = posterior.mean.tail<2>();
    mean += example.weight * c;
    second += example.weight * (c * c.transpose() + posterior.covariance.bottomRightCorner<2, 2>());
    double left = 0, of = 0;
    for (size_t i = 0; i < example.points.size(); ++i) {
      const Observation& p = example.points[i];
      const Eigen::Vector3d f(1, example.power[n][i], example.anneal[n][i]);
      const double off = p.level - f.dot(posterior.mean);
      const double say = std::pow(p.share, 2 / kAgeingOfEvidence) / p.crowd;
      left += say * std::max(0.0, off * off + f.dot(posterior.covariance * f) - p.variance);
      of += say;
    }
    stray += example.weight * std::sqrt(left / of);
  }

  NodePrior Learned() const {
    NodePrior p;
    const Eigen::Vector2d m = mean / weight;
    const Eigen::Matrix2d v = second / weight - m * m.transpose();
    p.mean2 = m(0);
    p.mean3 = m(1);
    p.var22 = v(0, 0) + kLeastVariance;
    p.var23 = v(0, 1);
    p.var33 = v(1, 1) + kLeastVariance;
    p.stray = std::max(kLeastStray, stray / weight);
    return p;
  }
};

NodePrior LearnNode(const std::vector<Example>& examples, size_t n) {
  NodePrior prior = kUntaught;
  for (int k = 0; k < kRounds; ++k) {
    Round round;
    for (const Example& e : examples) round.Add(e, n, prior);
    prior = round.Learned();
  }
  return prior;
}

std::vector<Example> Examples(const Source& source, RateKind kind, int& distinct_families) {
  std::vector<Example> examples;
  std::vector<const std::string*> families;
  std::map<std::string, double> family_size;
  for (const FinishedRun& run : source.runs) {
    Plan plan = run.plan;
    if (kind == RateKind::kUnknown) plan.schedule.reset();
    Example example;
    if (!MakeExample(run.curve, plan, kind, example)) continue;
    examples.push_back(std::move(example));
    families.push_back(&run.family);
    family_size[run.family] += 1;
  }
  distinct_families = static_cast<int>(family_size.size());
  for (size_t i = 0; i < examples.size(); ++i) examples[i].weight = 1 / family_size[*families[i]];
  return examples;
}

// The Gaussian with the mean and covariance of the mixture of all archetypes.
Archetype Pool(const std::vector<Archetype>& archetypes, size_t nodes) {
  Archetype any{.name = "any", .runs = 0, .families = 0, .nodes = std::vector<NodePrior>(nodes)};
  const double share = 1 / static_cast<double>(archetypes.size());
  for (const Archetype& a : archetypes) {
    any.runs += a.runs;
    any.families += a.families;
  }
  for (size_t n = 0; n < nodes; ++n) {
    NodePrior& p = any.nodes[n] = {.mean2 = 0, .mean3 = 0, .var22 = 0, .var23 = 0, .var33 = 0, .stray = 0};
    for (const Archetype& a : archetypes) {
      p.mean2 += share * a.nodes[n].mean2;
      p.mean3 += share * a.nodes[n].mean3;
      p.stray += share * a.nodes[n].stray;
    }
    for (const Archetype& a : archetypes) {
      const double d2 = a.nodes[n].mean2 - p.mean2, d3 = a.nodes[n].mean3 - p.mean3;
      p.var22 += share * (a.nodes[n].var22 + d2 * d2);
      p.var23 += share * (a.nodes[n].var23 + d2 * d3);
      p.var33 += share * (a.nodes[n].var33 + d3 * d3);
    }
  }
  return any;
}

// An archetype of few families does not know how much its own runs can differ: it borrows from the spread of all.
void Broaden(const Archetype& any, Archetype& a) {
  const double own = static_cast<double>(a.families) / (static_cast<double>(a.families) + kBorrowed);
  for (size_t n = 0; n < a.nodes.size(); ++n) {
    NodePrior& p = a.nodes[n];
    p.var22 = own * p.var22 + (1 - own) * any.nodes[n].var22;
    p.var23 = own * p.var23 + (1 - own) * any.nodes[n].var23;
    p.var33 = own * p.var33 + (1 - own) * any.nodes[n].var33;
    p.stray = own * p.stray + (1 - own) * any.nodes[n].stray;
  }
}

// Hardly a prior: for the curve that is like none of these, which then pays with a wide interval.
Archetype Free(Archetype any) {
  any.name = "free";
  for (NodePrior& p : any.nodes) {
    p.var22 *= kFreedom * kFreedom;
    p.var23 *= kFreedom * kFreedom;
    p.var33 *= kFreedom * kFreedom;
  }
  return any;
}

// "any" of the runs with hidden schedules.
Archetype BorrowUnknown(const Prior& prior) {
  const std::vector<Archetype>& unknown = prior.Of(RateKind::kUnknown).archetypes;
  Archetype borrowed = unknown.size() < 2 ? unknown.back() : unknown[unknown.size() - 2];
  borrowed.name = "unknown";
  return borrowed;
}

// How many times its half-width on the truth's side the truth lies off the median.
double Miss(const Outcome& o) {
  const double off = std::log(o.actual / o.forecast.median());
  const double half = off < 0 ? std::log(o.forecast.median() / o.forecast.quantiles[0])
                              : std::log(o.forecast.quantiles[4] / o.forecast.median());
  return std::fabs(off) / std::max(half, 1e-12);
}

}  // namespace

Prior TrainPrior(const std::vector<Source>& sources) {
  Prior prior;
  for (size_t k = 0; k < kRateKinds; ++k) {
    const RateKind kind = static_cast<RateKind>(k);
    const size_t nodes = Bank(kind).size();
    std::vector<Archetype>& archetypes = prior.kinds[k].archetypes;
    for (const Source& source : sources) {
      int families = 0;
      const std::vector<Example> examples = Examples(source, kind, families);
      if (examples.size() < static_cast<size_t>(kFewestRuns)) continue;
      Archetype a{.name = source.name, .runs = static_cast<int>(examples.size()), .families = families, .nodes = {}};
      for (size_t n = 0; n < nodes; ++n) a.nodes.push_back(LearnNode(examples, n));
      archetypes.push_back(std::move(a));
    }
    if (archetypes.empty()) {
      archetypes.push_back(
          {.name = "none", .runs = 0, .families = 0, .nodes = std::vector<NodePrior>(nodes, kUntaught)});
    } else {
      const Archetype any = Pool(archetypes, nodes);
      for (Archetype& a : archetypes) Broaden(any, a);
      archetypes.push_back(any);
      archetypes.push_back(Free(any));
      // A kind that few sources have shows too little: the spread of the unknown schedules joins it, if the bank is the
      // same.
      const bool plain = kind == RateKind::kConstant && archetypes.size() < kFewestSources + 2;
      if (plain) archetypes.push_back(BorrowUnknown(prior));
    }
  }
  return prior;
}

void LearnWiden(const std::vector<Outcome>& outcomes, Prior& prior) {
  for (size_t k = 0; k < kRateKinds; ++k) {
    for (size_t b = 0; b < Prior::kProgress.size(); ++b) {
      std::map<std::string, double> weight;
      std::vector<std::pair<double, const Outcome*>> misses;
      for (const Outcome& o : outcomes) {
        if (static_cast<size_t>(o.kind) != k || std::fabs(o.progress - Prior::kProgress[b]) > 0.05) continue;
        if (!o.forecast.answered()) continue;
        misses.emplace_back(Miss(o), &o);
        weight[o.source] += 1;
      }
      std::sort(misses.begin(), misses.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
      double sum = 0, whole = 0, &factor = prior.kinds[k].widen[b];
      for (const auto& [source, n] : weight) whole += n / std::max(n, kFewestOutcomes);
      if (weight.size() < kFewestSources) {
        factor = std::max(1.0, prior.Of(RateKind::kUnknown).widen[b]);
        continue;
      }
      for (const auto& [miss, o] : misses) {
        sum += 1 / std::max(weight[o->source], kFewestOutcomes);
        if (sum < kCoverage * whole) continue;
        factor = std::max(miss, kLeastFactor);
        break;
      }
    }
  }
}

}  // namespace curvecast
