#include "core/family/kinship.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "Eigen/Cholesky"

namespace curvecast {
namespace {

constexpr double kLabWeight = 100;  // The constant: what a project's runs share is taken as unknown.
constexpr double kPriorRuns = 20;   // Runs' worth of the shape of `within` against the relatives' own spread.
constexpr double kScaleRuns = 4;    // Runs' worth of its scale, which is doubted: a new project's runs may differ more,
constexpr double kScaleDoubt = 3;   // by this mean square.
constexpr double kOddest = 30;      // Mean square, in `within`, that a relative adds to the scale at most.
constexpr double kOddRun = 6;       // Mean square, in `within`, beyond which a relative is unlike the others.
constexpr int kSweeps = 3;
constexpr double kSettled = 0.5;  // Of `own`.
constexpr int kMostWeighings = 4;
constexpr double kUsualStray = 0.0015, kMostStray = 0.01;
constexpr double kStrayRuns = 4;     // Runs' worth of it.
constexpr double kStraightRuns = 2;  // Runs' worth of no bend at all.
constexpr auto kBends = static_cast<Eigen::Index>(kBentAt.size() + 1);

bool IsNumber(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::array<double, kTraits> Center(std::span<const Relative* const> relatives) {
  std::array<double, kTraits> center = {};
  for (size_t t = 0; t < kTraits; ++t) {
    double sum = 0, n = 0;
    for (const Relative* r : relatives) {
      if (!r->traits.known.test(t)) continue;
      sum += r->traits.values[t];
      n += 1;
    }
    center[t] = n > 0 ? sum / n : 0;
  }
  return center;
}

std::array<double, kTraits> Centered(const Traits& traits, const std::array<double, kTraits>& center) {
  std::array<double, kTraits> centered = {};
  for (size_t t = 0; t < kTraits; ++t) centered[t] = traits.known.test(t) ? traits.values[t] - center[t] : 0;
  return centered;
}

double MedianNoise(std::span<const Relative* const> relatives) {
  std::vector<double> noises;
  for (const Relative* r : relatives) noises.push_back(r->noise);
  const auto middle = noises.begin() + static_cast<std::ptrdiff_t>(noises.size() / 2);
  std::nth_element(noises.begin(), middle, noises.end());
  return *middle;
}

Eigen::RowVectorXd BendRow(const Bend& bend) {
  Eigen::RowVectorXd row(kBends);
  for (Eigen::Index i = 0; i + 1 < kBends; ++i) row(i) = bend.offsets[static_cast<size_t>(i)];
  row(kBends - 1) = bend.end;
  return row;
}

Bend MakeBend(const Eigen::RowVectorXd& row) {
  Bend bend;
  for (Eigen::Index i = 0; i + 1 < kBends; ++i) bend.offsets[static_cast<size_t>(i)] = row(i);
  bend.end = row(kBends - 1);
  return bend;
}

// How far the relatives' bends lie off what the others say of them, as a variance of the log loss, after a tenth.
double Unbent(const Eigen::MatrixXd& inverse, const Eigen::MatrixXd& solved, Eigen::Index run) {
  double sum = 0, n = 0;
  for (Eigen::Index i = 0; i + 1 < kBends; ++i) {
    if (kBentAt[static_cast<size_t>(i)] < 0.1) continue;
    const double off = solved(run, i) / inverse(run, run);
    sum += off * off;
    n += 1;
  }
  return sum / n;
}

}  // namespace

double LabelLikeness(const Descent& a, const Descent& b) {
  double common = 0, equal = 0;
  auto other = b.labels.begin();
  for (const auto& [key, value] : a.labels) {
    while (other != b.labels.end() && other->first < key) ++other;
    if (other == b.labels.end()) break;
    if (other->first != key || IsNumber(value) || IsNumber(other->second)) continue;
    common += 1;
    if (value == other->second) equal += 1;
  }
  return common > 0 ? equal / common : 0;
}

double Distance(const Traits& a, const Traits& b, const Kinship& kinship) {
  double square = 0;
  for (size_t t = 0; t < kTraits; ++t) {
    if (!a.known.test(t) || !b.known.test(t)) continue;
    const double off = (a.values[t] - b.values[t]) / kinship.reach[t];
    square += off * off;
  }
  return square;
}

double Likeness(const Descent& a, const std::array<double, kTraits>& at, const Descent& b,
                const std::array<double, kTraits>& bt, const Kinship& kinship) {
  double linear = 0, square = 0;
  for (size_t t = 0; t < kTraits; ++t) {
    const double off = (at[t] - bt[t]) / kinship.reach[t];
    linear += kinship.linear[t] * at[t] * bt[t];
    square += off * off;
  }
  return linear + kinship.smooth * std::exp(-0.5 * square) + (a.family == b.family ? kinship.family : 0) +
         kinship.labels * LabelLikeness(a, b);
}

namespace {

// The process over some relatives and one run.
class Kindred {
 public:
  Kindred(std::span<const Relative* const> relatives, const Descent& descent, const Traits& traits,
          const Kinship& kinship)
      : relatives_(relatives), kinship_(kinship), n_(static_cast<Eigen::Index>(relatives.size())) {
    const std::array<double, kTraits> center = Center(relatives);
    kernel_.resize(n_, n_);
    to_run_.resize(n_);
    values_.resize(n_, static_cast<Eigen::Index>(kCoefficients));
    bends_.resize(n_, kBends);
    const std::array<double, kTraits> run = Centered(traits, center);
    std::vector<std::array<double, kTraits>> centered;
    for (const Relative* r : relatives) centered.push_back(Centered(r->traits, center));
    for (Eigen::Index i = 0; i < n_; ++i) {
      const Relative& r = Get(i);
      const auto& at = centered[static_cast<size_t>(i)];
      for (Eigen::Index k = 0; k <= i; ++k) {
        kernel_(i, k) = kernel_(k, i) =
            kLabWeight + Likeness(r.descent, at, Get(k).descent, centered[static_cast<size_t>(k)], kinship);
      }
      to_run_(i) = kLabWeight + Likeness(descent, run, r.descent, at, kinship);
      values_.row(i) = r.coefficients.transpose();
      bends_.row(i) = BendRow(r.bend);
    }
    of_run_ = kLabWeight + Likeness(descent, run, descent, run, kinship) + kinship.own;
    owns_ = Eigen::VectorXd::Constant(n_, kinship.own);
    base_ = values_.colwise().mean();
    values_.rowwise() -= base_;
    within_.compute(kinship.within);
    within_inverse_ = within_.solve(CoefficientMatrix::Identity());
  }

  // Draws the relatives' coefficients towards those that they have together, each from its own curve and from what the
  // others say of it, and lets those count less that are unlike all others. False if the kernel cannot be inverted in
  // doubles.
  bool Settle() {
    if (!Invert()) return false;
    for (int sweep = 0; sweep < kSweeps; ++sweep) Sweep();
    // Who is odd shows better once those that are do not draw the others towards them.
    for (int round = 0; round < kMostWeighings; ++round) {
      const Eigen::VectorXd before = owns_;
      if (!Discount()) return false;
      if ((owns_ - before).cwiseAbs().maxCoeff() < kSettled * kinship_.own) break;
      if (!Invert()) return false;
    }
    Sweep();
    // The bends are what is left beside the coefficients that were found.
    for (Eigen::Index i = 0; i < n_; ++i) {
      const Coefficients moved = (base_ + values_.row(i)).transpose() - Get(i).coefficients;
      bends_.row(i) -= (Get(i).bend_rows.cast<double>() * moved).transpose();
    }
    return true;
  }

  std::optional<Belief> Foresee() const {
    Belief belief;
    belief.mean = (base_ + to_run_.transpose() * solved_).transpose();
    const double variance = std::max(of_run_ - to_run_.dot(inverse_ * to_run_), 0.1 * kinship_.own);
    if (!belief.mean.allFinite() || !SetCovariance(variance * Spread(), belief)) return std::nullopt;
    Bend(belief);
    belief.noise = MedianNoise(relatives_);
    return belief;
  }

 private:
  const Relative& Get(Eigen::Index i) const { return *relatives_[static_cast<size_t>(i)]; }

  bool Invert() {
    Eigen::MatrixXd noisy = kernel_;
    noisy.diagonal() += owns_;
    const Eigen::LLT<Eigen::MatrixXd> factor(noisy);
    if (factor.info() != Eigen::Success) return false;
    inverse_ = factor.solve(Eigen::MatrixXd::Identity(n_, n_));
    solved_ = inverse_ * values_;
    return true;
  }

  // One round of Gauss and Seidel towards the joint posterior of all the relatives' coefficients.
  void Sweep() {
    for (Eigen::Index i = 0; i < n_; ++i) {
      const double sure = inverse_(i, i);
      const Coefficients others = (base_ + values_.row(i) - solved_.row(i) / sure).transpose();
      const CoefficientMatrix precision = Get(i).precision + sure * within_inverse_;
      const Coefficients found = precision.llt().solve(Get(i).pull + sure * within_inverse_ * others);
      const Eigen::RowVectorXd moved = found.transpose() - base_ - values_.row(i);
      values_.row(i) += moved;
      solved_ += inverse_.col(i) * moved;
    }
  }

  // What relative i is off the others' word, in units of what it should be.
  Coefficients Off(Eigen::Index i) const { return solved_.row(i).transpose() / std::sqrt(inverse_(i, i)); }
  double MeanSquare(const Coefficients& off) const {
    return off.dot(within_inverse_ * off) / static_cast<double>(kCoefficients);
  }

  bool Discount() {
    for (Eigen::Index i = 0; i < n_; ++i) {
      // What the variance would be if it were not odd.
      const double expected = 1 / inverse_(i, i) - owns_(i) + kinship_.own;
      const double square = MeanSquare(solved_.row(i).transpose() / inverse_(i, i)) / expected;
      if (!std::isfinite(square)) return false;
      owns_(i) = square > kOddRun ? kinship_.own * square : kinship_.own;
    }
    return true;
  }

  // `within`, scaled up where the relatives are further off the others' word, and drawn towards the shape of that.
  CoefficientMatrix Spread() const {
    const double n = static_cast<double>(n_);
    double squares = kScaleRuns * kScaleDoubt;
    for (Eigen::Index i = 0; i < n_; ++i) squares += std::min(MeanSquare(Off(i)), kOddest);
    const double scale = std::max(1.0, squares / (kScaleRuns + n));  // That few agree closely may be chance.
    CoefficientMatrix spread = kPriorRuns * scale * kinship_.within;
    for (Eigen::Index i = 0; i < n_; ++i) {
      const Coefficients off = Off(i);
      spread += std::min(1.0, kOddRun * scale / std::max(MeanSquare(off), 1e-9)) * off * off.transpose();
    }
    return spread / (kPriorRuns + n);
  }

  void Bend(Belief& belief) const {
    const Eigen::RowVectorXd mean = bends_.colwise().mean();
    const Eigen::MatrixXd solved = inverse_ * (bends_.rowwise() - mean);
    const double n = static_cast<double>(n_), trust = n / (kStraightRuns + n);
    belief.bend = MakeBend(trust * (mean + to_run_.transpose() * solved));
    double stray = kStrayRuns * kUsualStray * kUsualStray;
    for (Eigen::Index i = 0; i < n_; ++i) {
      const double own = std::min(Get(i).stray, kMostStray);
      stray += n_ > 1 ? std::min(own * own, Unbent(inverse_, solved, i)) : own * own;
    }
    belief.stray = std::sqrt(stray / (kStrayRuns + n));
  }

  const std::span<const Relative* const> relatives_;
  const Kinship& kinship_;
  const Eigen::Index n_;
  Eigen::MatrixXd kernel_, inverse_, values_, solved_, bends_;
  Eigen::VectorXd to_run_, owns_;
  Eigen::RowVectorXd base_;
  double of_run_ = 0;
  Eigen::LLT<CoefficientMatrix> within_;
  CoefficientMatrix within_inverse_;
};

}  // namespace

std::optional<Belief> LeanOn(std::span<const Relative* const> relatives, const Descent& descent, const Traits& traits,
                             const Kinship& kinship) {
  if (relatives.size() < kFewestRelatives) return std::nullopt;
  Kindred kindred(relatives, descent, traits, kinship);
  if (!kindred.Settle()) return std::nullopt;
  return kindred.Foresee();
}

}  // namespace curvecast
