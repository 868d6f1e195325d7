#include "core/family/kinship_train.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "Eigen/Cholesky"
#include "core/base/stable_hash.h"
#include "core/family/kinship.h"

namespace curvecast {
namespace {

constexpr double kFirstStep = 0.8, kLastStep = 0.1;  // In the logarithm of a parameter.
constexpr double kPull = 0.01;                       // Towards 1: half the precision of each logarithm.
constexpr double kLowest = -9, kHighest = 6;         // Logarithms.
constexpr double kOwnLevel = 100;                    // A source's own mean is its own.

// What the kernel is made of between the relatives of one source, so that a change of one parameter is cheap to try.
struct Source {
  Eigen::MatrixXd values;                 // Whitened coefficients, centered; a row a run.
  std::vector<Eigen::MatrixXd> products;  // Of each trait.
  std::vector<Eigen::MatrixXd> squares;   // Of each trait's difference.
  Eigen::MatrixXd family, labels;
};

Source MakeSource(std::vector<const Relative*> runs, const CoefficientMatrix& within) {
  std::sort(runs.begin(), runs.end(), [](const Relative* a, const Relative* b) {
    const uint64_t ha = StableHash(a->descent.run_id), hb = StableHash(b->descent.run_id);
    return ha != hb ? ha < hb : a->descent.run_id < b->descent.run_id;
  });
  if (runs.size() > kMostTrained) runs.resize(kMostTrained);
  const auto n = static_cast<Eigen::Index>(runs.size());
  const auto run = [&](Eigen::Index i) -> const Relative& { return *runs[static_cast<size_t>(i)]; };
  Source source;
  source.values.resize(n, static_cast<Eigen::Index>(kCoefficients));
  for (Eigen::Index i = 0; i < n; ++i) source.values.row(i) = run(i).coefficients.transpose();
  const Eigen::RowVectorXd mean = source.values.colwise().mean();
  source.values.rowwise() -= mean;
  const Eigen::LLT<CoefficientMatrix> factor(within);
  source.values = factor.matrixL().solve(source.values.transpose()).transpose().eval();
  source.family.resize(n, n);
  source.labels.resize(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index k = 0; k < n; ++k) {
      source.family(i, k) = run(i).descent.family == run(k).descent.family ? 1 : 0;
      source.labels(i, k) = LabelLikeness(run(i).descent, run(k).descent);
    }
  }
  for (size_t t = 0; t < kTraits; ++t) {
    double sum = 0, count = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      if (!run(i).traits.known.test(t)) continue;
      sum += run(i).traits.values[t];
      count += 1;
    }
    Eigen::VectorXd off = Eigen::VectorXd::Zero(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      if (run(i).traits.known.test(t)) off(i) = run(i).traits.values[t] - sum / count;
    }
    source.products.push_back(off * off.transpose());
    source.squares.push_back((off.replicate(1, n) - off.transpose().replicate(n, 1)).array().square().matrix());
  }
  return source;
}

// The parameters as one list of logarithms.
constexpr size_t kParameters = 2 * kTraits + 4;
using Parameters = std::array<double, kParameters>;

Kinship Unpack(const Parameters& logs, const CoefficientMatrix& within) {
  Kinship kinship;
  const auto at = [&](size_t i) { return std::exp(std::clamp(logs[i], kLowest, kHighest)); };
  for (size_t t = 0; t < kTraits; ++t) {
    kinship.linear[t] = at(t);
    kinship.reach[t] = at(kTraits + t);
  }
  kinship.smooth = at(2 * kTraits);
  kinship.family = at(2 * kTraits + 1);
  kinship.labels = at(2 * kTraits + 2);
  kinship.own = at(2 * kTraits + 3);
  kinship.within = within;
  return kinship;
}

// Negative log likelihood of one source, a run.
double Surprise(const Source& source, const Kinship& kinship) {
  const Eigen::Index n = source.values.rows();
  Eigen::MatrixXd square = Eigen::MatrixXd::Zero(n, n);
  Eigen::MatrixXd kernel = Eigen::MatrixXd::Constant(n, n, kOwnLevel);
  for (size_t t = 0; t < kTraits; ++t) {
    kernel += kinship.linear[t] * source.products[t];
    square += source.squares[t] / (kinship.reach[t] * kinship.reach[t]);
  }
  kernel.array() += kinship.smooth * (-0.5 * square.array()).exp();
  kernel += kinship.family * source.family + kinship.labels * source.labels;
  kernel.diagonal().array() += kinship.own;
  const Eigen::LLT<Eigen::MatrixXd> factor(kernel);
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
  const Eigen::MatrixXd solved = factor.matrixL().solve(source.values);
  const double log_determinant = factor.matrixLLT().diagonal().array().log().sum();
  return (0.5 * solved.squaredNorm() + static_cast<double>(kCoefficients) * log_determinant) / static_cast<double>(n);
}

}  // namespace

Kinship TrainKinship(const std::vector<std::vector<Relative>>& sources, const CoefficientMatrix& within) {
  std::vector<Source> made;
  for (const std::vector<Relative>& source : sources) {
    if (source.size() < kFewestTrained) continue;
    std::vector<const Relative*> runs;
    for (const Relative& r : source) runs.push_back(&r);
    made.push_back(MakeSource(std::move(runs), within));
  }
  Parameters logs;
  logs.fill(std::log(0.3));
  std::fill(logs.begin() + kTraits, logs.begin() + 2 * kTraits + 1, 0.0);
  const auto cost = [&](const Parameters& at) {
    double sum = 0;
    const Kinship kinship = Unpack(at, within);
    for (const Source& s : made) sum += Surprise(s, kinship);
    for (double log : at) sum += kPull * log * log;
    return sum;
  };
  if (made.empty()) return Unpack(logs, within);
  double best = cost(logs);
  // One parameter after the other, up or down while that helps; then in finer steps.
  for (double step = kFirstStep; step > kLastStep; step /= 2) {
    for (size_t i = 0; i < kParameters; ++i) {
      for (const double way : {step, -step}) {
        while (true) {
          Parameters tried = logs;
          tried[i] += way;
          const double got = cost(tried);
          if (!(got < best)) break;
          best = got;
          logs = tried;
        }
      }
    }
  }
  return Unpack(logs, within);
}

}  // namespace curvecast
