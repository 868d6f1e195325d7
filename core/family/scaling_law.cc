#include "core/family/scaling_law.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/family/law_box.h"
#include "core/family/least_squares.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr double kOneRatio = 0.98;  // Correlation of log N and log D past which they are one.
double LogSumExp(double a, double b, double c) {
  const double most = std::max({a, b, c});
  return most + std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most));
}

// The cells about their middle, so that the three terms and the exponents hardly depend on each other.
struct Centred {
  const std::vector<ScalingCell>& cells;
  double n = 0, d = 0, loss = 0;

  explicit Centred(const std::vector<ScalingCell>& from) : cells(from) {
    for (const ScalingCell& cell : cells) {
      const double share = 1 / static_cast<double>(cells.size());
      n += cell.log_parameters * share;
      d += cell.log_tokens * share;
      loss += cell.log_loss * share;
    }
  }
};

// log(A / N^alpha), log(B / D^beta), log E as law_box has them; alpha, beta.
using Terms = std::array<double, 5>;

Terms TermsOf(const VectorXd& free) {
  return {TermOf(free[0]), TermOf(free[1]), TermOf(free[2]), ExponentOf(free[3]), ExponentOf(free[4])};
}

VectorXd FreeTerms(const Terms& terms) {
  VectorXd free(5);
  free << FreeOfTerm(terms[0]), FreeOfTerm(terms[1]), FreeOfTerm(terms[2]), FreeOfExponent(terms[3]),
      FreeOfExponent(terms[4]);
  return free;
}

std::vector<VectorXd> Starts() {
  std::vector<VectorXd> starts;
  for (double alpha : {0.15, 0.5}) {
    for (double beta : {0.15, 0.5}) {
      for (double floor : {0.3, 0.8}) {
        const double rest = std::log((1 - floor) / 2);
        starts.push_back(FreeTerms({rest, rest, std::log(floor), alpha, beta}));
      }
    }
  }
  return starts;
}

VectorXd Residuals(const Centred& at, const VectorXd& free) {
  const Terms t = TermsOf(free);
  VectorXd residuals(static_cast<Index>(at.cells.size()));
  for (size_t i = 0; i < at.cells.size(); ++i) {
    const ScalingCell& c = at.cells[i];
    residuals[static_cast<Index>(i)] =
        LogSumExp(t[0] - t[3] * (c.log_parameters - at.n), t[1] - t[4] * (c.log_tokens - at.d), t[2]) -
        (c.log_loss - at.loss);
  }
  return residuals;
}

// The fit, with cells of weight 0 left out. Nothing if it fails.
std::optional<VectorXd> Fit(const Centred& at, double delta, const std::vector<double>& weights,
                            const std::vector<VectorXd>& starts) {
  HuberProblem problem;
  problem.count = static_cast<Index>(at.cells.size());
  problem.delta = delta;
  problem.weights = weights;
  problem.residuals = [&](const VectorXd& free, VectorXd& residuals) { residuals = Residuals(at, free); };
  const std::optional<HuberFit> fit = FitHuber(problem, starts);
  return fit.has_value() ? std::optional<VectorXd>(fit->free) : std::nullopt;
}

// (log A, log B, log E, alpha, beta) in the units of the runs.
VectorXd Natural(const Centred& at, const VectorXd& free) {
  const Terms t = TermsOf(free);
  VectorXd natural(5);
  natural << t[0] + t[3] * at.n + at.loss, t[1] + t[4] * at.d + at.loss, t[2] + at.loss, t[3], t[4];
  return natural;
}

std::string Identifiable(const ScalingCells& cells) {
  if (cells.sizes < kFewestSizes) {
    return fmt::format("the runs have {} distinct sizes; L(N, D) needs {}", cells.sizes, kFewestSizes);
  }
  if (cells.lengths < kFewestLengths) {
    return fmt::format("the runs have {} distinct lengths in tokens; L(N, D) needs {}", cells.lengths, kFewestLengths);
  }
  if (cells.cells.size() < kFewestCells) {
    return fmt::format("the runs have {} pairs of size and length; L(N, D) needs {}", cells.cells.size(), kFewestCells);
  }
  const Centred at(cells.cells);
  double nn = 0, dd = 0, nd = 0;
  std::array<double, 2> n = {at.n, at.n}, d = {at.d, at.d};
  for (const ScalingCell& c : cells.cells) {
    nn += std::pow(c.log_parameters - at.n, 2);
    dd += std::pow(c.log_tokens - at.d, 2);
    nd += (c.log_parameters - at.n) * (c.log_tokens - at.d);
    n = {std::min(n[0], c.log_parameters), std::max(n[1], c.log_parameters)};
    d = {std::min(d[0], c.log_tokens), std::max(d[1], c.log_tokens)};
  }
  if (n[1] - n[0] < std::log(kLeastSpread) || d[1] - d[0] < std::log(kLeastSpread)) {
    return fmt::format("sizes span a factor of {:.3g} and lengths one of {:.3g}; L(N, D) needs {} of both",
                       std::exp(n[1] - n[0]), std::exp(d[1] - d[0]), kLeastSpread);
  }
  if (std::fabs(nd) > kOneRatio * std::sqrt(nn * dd)) {
    return fmt::format("size and length go together (correlation {:.3f}), so what each does cannot be told apart",
                       nd / std::sqrt(nn * dd));
  }
  return "";
}

// The law and its uncertainty, or why not.
absl::StatusOr<ChinchillaLaw> FitLaw(const ScalingCells& cells) {
  const absl::Status failed = absl::FailedPreconditionError("the fit of L(N, D) found no minimum");
  const Centred at(cells.cells);
  std::optional<VectorXd> free = Fit(at, kLawHuberDelta, {}, Starts());
  if (!free.has_value()) return failed;
  const double delta = HuberDelta(Residuals(at, *free), kLawHuberDelta);
  std::vector<VectorXd> starts = Starts();
  starts.push_back(*free);
  free = Fit(at, delta, {}, starts);
  if (!free.has_value()) return failed;
  const Terms terms = TermsOf(*free);
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (IsSeen(terms[i])) continue;
    return absl::FailedPreconditionError(fmt::format("the loss does not fall with {}", i == 0 ? "size" : "tokens"));
  }
  const size_t groups = std::min(cells.cells.size(), kMostJackknifeGroups);
  const auto covariance = JackknifeCovariance(groups, [&](size_t group) -> std::optional<VectorXd> {
    std::vector<double> weights(cells.cells.size(), 1);
    for (size_t i = group; i < weights.size(); i += groups) weights[i] = 0;
    const std::optional<VectorXd> without = Fit(at, delta, weights, {*free});
    return without.has_value() ? std::optional<VectorXd>(Natural(at, *without)) : std::nullopt;
  });
  if (!covariance.has_value()) return failed;
  const VectorXd natural = Natural(at, *free);
  const auto sd = [&](Index i) { return std::sqrt((*covariance)(i, i)); };
  ChinchillaLaw law;
  law.floor_told = IsSeen(terms[2]);
  law.covariance = *covariance;
  law.log_a = {natural[0], sd(0)};
  law.log_b = {natural[1], sd(1)};
  law.irreducible = {std::exp(natural[2]), std::exp(natural[2]) * sd(2)};
  law.alpha = {natural[3], sd(3)};
  law.beta = {natural[4], sd(4)};
  const VectorXd residuals = Residuals(at, *free);
  law.residual_sd = RobustSd({residuals.data(), residuals.data() + residuals.size()}, 5);
  if (law.residual_sd > kMostOff) {
    return absl::FailedPreconditionError(
        fmt::format("L(N, D) misses the runs by {:.3g} % (sd), more than {} %", law.residual_sd * 100, kMostOff * 100));
  }
  for (const std::string& why : {WhyNotTold("alpha", law.alpha), WhyNotTold("beta", law.beta)}) {
    if (!why.empty()) return absl::FailedPreconditionError(why);
  }
  if (!std::isfinite(law.irreducible.value + law.irreducible.sd)) return failed;
  return law;
}

}  // namespace

double ChinchillaLaw::LogLoss(double log_parameters, double log_tokens) const {
  return LogSumExp(log_a.value - alpha.value * log_parameters, log_b.value - beta.value * log_tokens,
                   std::log(irreducible.value));
}

ChinchillaLaw PublishedChinchilla() {
  ChinchillaLaw law;
  law.irreducible = {1.8172, 0};
  law.log_a = {std::log(482.01), 0};
  law.log_b = {std::log(2085.43), 0};
  law.alpha = {0.3478, 0};
  law.beta = {0.3658, 0};
  return law;
}

absl::StatusOr<ScalingFit> FitScaling(const std::vector<ScalingPoint>& points, CellLevel level) {
  absl::StatusOr<ScalingCells> cells = MakeCells(points, level);
  if (!cells.ok()) return cells.status();
  ScalingFit fit;
  fit.cells = *std::move(cells);
  fit.why_no_law = Identifiable(fit.cells);
  if (fit.why_no_law.empty()) {
    absl::StatusOr<ChinchillaLaw> law = FitLaw(fit.cells);
    if (law.ok()) {
      fit.law = *law;
    } else {
      fit.why_no_law = std::string(law.status().message());
    }
  }
  std::vector<GroupedPoint> by_size, by_length;
  for (const ScalingCell& c : fit.cells.cells) {
    by_size.push_back({c.size, c.log_tokens, c.log_loss});
    by_length.push_back({c.length, c.log_parameters, c.log_loss});
  }
  absl::StatusOr<PowerLaw> in_tokens = FitPowerLaw(by_size), in_size = FitPowerLaw(by_length);
  if (in_tokens.ok()) fit.in_tokens = *std::move(in_tokens);
  if (in_size.ok()) fit.in_size = *std::move(in_size);
  fit.why_not_in_tokens = std::string(in_tokens.status().message());
  fit.why_not_in_size = std::string(in_size.status().message());
  return fit;
}

}  // namespace curvecast
