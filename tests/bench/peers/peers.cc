#include "tests/bench/peers/peers.h"

#include <algorithm>
#include <cmath>

#include "core/family/least_squares.h"
#include "tests/bench/peers/anneal.h"

namespace curvecast::peers {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kLeft = 0.02;   // Of the plan: the first points follow no power law.
constexpr double kDelta = 0.01;  // Huber's, on log residuals.
constexpr size_t kFewestPoints = 4;
constexpr size_t kMostPoints = 400;  // Of the power law in steps.
constexpr int kMostBins = 48;        // Of the laws that know the schedule.
constexpr double kLeastLoss = 1e-9;
constexpr double kRidge = 1e-4;
constexpr double kLambda = 0.999;

struct Points {
  std::vector<double> steps, values;
};

// Finite and positive points past `from`.
Points Usable(const Prefix& prefix, double from) {
  Points points;
  for (size_t i = 0; i < prefix.steps.size(); ++i) {
    if (!(prefix.steps[i] > from) || !(prefix.values[i] > 0) || !std::isfinite(prefix.values[i])) continue;
    points.steps.push_back(prefix.steps[i]);
    points.values.push_back(prefix.values[i]);
  }
  return points;
}

// At most kMostPoints of them, evenly in the logarithm of their place.
Points Thinned(const Points& points) {
  const size_t n = points.steps.size();
  if (n <= kMostPoints) return points;
  Points thin;
  size_t newest = n;
  for (size_t i = 0; i < kMostPoints; ++i) {
    const double place = std::pow(static_cast<double>(n), static_cast<double>(i) / (kMostPoints - 1));
    const size_t at = std::min(static_cast<size_t>(place * (1 + 1e-12)), n) - 1;
    if (at == newest) continue;
    newest = at;
    thin.steps.push_back(points.steps[at]);
    thin.values.push_back(points.values[at]);
  }
  return thin;
}

// Means over at most kMostBins stretches, even in log step.
Points Binned(const Points& points) {
  if (points.steps.size() <= static_cast<size_t>(kMostBins)) return points;
  const double first = std::log(points.steps.front());
  const double width = std::max((std::log(points.steps.back()) - first) / kMostBins, 1e-12);
  Points bins;
  for (size_t i = 0; i < points.steps.size();) {
    const auto cell = [&](size_t at) { return std::floor((std::log(points.steps[at]) - first) / width * (1 - 1e-12)); };
    const double here = cell(i);
    double count = 0, step = 0, value = 0;
    for (; i < points.steps.size() && cell(i) == here; ++i) {
      count += 1;
      step += (points.steps[i] - step) / count;
      value += (points.values[i] - value) / count;
    }
    bins.steps.push_back(step);
    bins.values.push_back(value);
  }
  return bins;
}

std::optional<double> Finite(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

// A law of a prefix with a schedule: the loss at a step, in units of the newest value, for free parameters.
template <typename Loss>
std::optional<double> FitAndEnd(const Points& points, double total, const Loss& loss,
                                const std::vector<VectorXd>& starts) {
  const double unit = points.values.back();
  HuberProblem problem;
  problem.count = static_cast<Index>(points.steps.size());
  problem.delta = kDelta;
  problem.ridge = kRidge;
  problem.most_evaluations = 100;
  problem.residuals = [&](const VectorXd& free, VectorXd& residuals) {
    for (size_t i = 0; i < points.steps.size(); ++i) {
      residuals[static_cast<Index>(i)] =
          std::log(std::max(loss(points.steps[i], free), kLeastLoss)) - std::log(points.values[i] / unit);
    }
  };
  const std::optional<HuberFit> fit = FitHuber(problem, starts);
  if (!fit.has_value()) return std::nullopt;
  const double end = loss(total, fit->free);
  return end > 0 ? Finite(unit * end) : std::nullopt;
}

// Inside a box whose sides are powers: for what is positive and may span decades.
double LogWithin(double low, double high, double free) { return std::exp(Within(std::log(low), std::log(high), free)); }
double LogFreeOf(double low, double high, double value) {
  return FreeOf(std::log(low), std::log(high), std::log(value));
}

struct Box {
  double low, high;
};
// In units of the newest value; times in shares of S(T).
constexpr Box kFloor = {0.01, 1.5}, kScale = {1e-4, 10}, kExponent = {0.01, 3}, kDrop = {1e-4, 0.5}, kC = {1, 1e5},
              kBeta = {0.05, 2}, kGamma = {0, 1.5};

// L0, A and a: the first three free parameters of both laws.
double PowerPart(double share, const VectorXd& free) {
  return Within(kFloor.low, kFloor.high, free[0]) +
         LogWithin(kScale.low, kScale.high, free[1]) *
             std::pow(std::max(share, 1e-12), -LogWithin(kExponent.low, kExponent.high, free[2]));
}

VectorXd Start(Index size, double exponent) {
  VectorXd start = VectorXd::Zero(size);
  start[0] = FreeOf(kFloor.low, kFloor.high, 0.8);
  start[1] = LogFreeOf(kScale.low, kScale.high, 0.15);
  start[2] = LogFreeOf(kExponent.low, kExponent.high, exponent);
  start[3] = LogFreeOf(kDrop.low, kDrop.high, 0.05);
  return start;
}

std::optional<Points> Annealable(const Prefix& prefix) {
  if (prefix.schedule == nullptr || !(prefix.total > 0)) return std::nullopt;
  Points points = Binned(Usable(prefix, std::max(prefix.schedule->warmup_end(), kLeft * prefix.total)));
  if (points.steps.size() < kFewestPoints) return std::nullopt;
  return points;
}

}  // namespace

std::optional<double> LastValue(const Prefix& prefix) {
  const auto newest =
      std::find_if(prefix.values.rbegin(), prefix.values.rend(), [](double v) { return std::isfinite(v); });
  return newest == prefix.values.rend() ? std::nullopt : std::optional<double>(*newest);
}

std::optional<double> PowerLawInSteps(const Prefix& prefix) {
  if (!(prefix.total > 0)) return std::nullopt;
  const Points points = Thinned(Usable(prefix, kLeft * prefix.total));
  if (points.steps.size() < kFewestPoints) return std::nullopt;
  HuberProblem problem;
  problem.count = static_cast<Index>(points.steps.size());
  problem.delta = kDelta;
  problem.residuals = [&](const VectorXd& free, VectorXd& residuals) {
    for (size_t i = 0; i < points.steps.size(); ++i) {
      const double power = std::pow(points.steps[i] / prefix.total, -std::exp(free[2]));
      const double loss = std::exp(free[0]) + std::exp(free[1]) * power;
      residuals[static_cast<Index>(i)] = std::log(std::max(loss, kLeastLoss)) - std::log(points.values[i]);
    }
  };
  const double newest = points.values.back();
  std::vector<VectorXd> starts;
  for (double exponent : {-2.0, -1.0, 0.0}) {
    starts.emplace_back(3);
    starts.back() << std::log(std::max(newest * 0.9, kLeastLoss)), std::log(std::max(newest * 0.1, kLeastLoss)),
        exponent;
  }
  const std::optional<HuberFit> fit = FitHuber(problem, starts);
  return fit.has_value() ? Finite(std::exp(fit->free[0]) + std::exp(fit->free[1])) : std::nullopt;
}

std::optional<double> MultiPowerLaw(const Prefix& prefix) {
  const std::optional<Points> points = Annealable(prefix);
  if (!points.has_value()) return std::nullopt;
  const Anneal anneal(*prefix.schedule, prefix.total);
  const auto loss = [&](double step, const VectorXd& free) {
    const double drop =
        anneal.MultiPower(step, LogWithin(kC.low, kC.high, free[4]), Within(kBeta.low, kBeta.high, free[5]),
                          Within(kGamma.low, kGamma.high, free[6]));
    return PowerPart(anneal.Share(step), free) - LogWithin(kDrop.low, kDrop.high, free[3]) * drop;
  };
  std::vector<VectorXd> starts;
  for (double exponent : {0.3, 0.6}) {
    for (double c : {100.0, 3000.0}) {
      starts.push_back(Start(7, exponent));
      starts.back()[4] = LogFreeOf(kC.low, kC.high, c);
      starts.back()[5] = FreeOf(kBeta.low, kBeta.high, 0.59);
      starts.back()[6] = FreeOf(kGamma.low, kGamma.high, 0.64);
    }
  }
  return FitAndEnd(*points, prefix.total, loss, starts);
}

std::optional<double> MomentumLaw(const Prefix& prefix) {
  const std::optional<Points> points = Annealable(prefix);
  if (!points.has_value()) return std::nullopt;
  const Anneal anneal(*prefix.schedule, prefix.total);
  const double whole = anneal.Momentum(prefix.total, kLambda);
  const auto loss = [&](double step, const VectorXd& free) {
    const double drop = whole > 0 ? anneal.Momentum(step, kLambda) / whole : 0;
    return PowerPart(anneal.Share(step), free) - LogWithin(kDrop.low, kDrop.high, free[3]) * drop;
  };
  return FitAndEnd(*points, prefix.total, loss, {Start(4, 0.2), Start(4, 0.5), Start(4, 1)});
}

}  // namespace curvecast::peers
