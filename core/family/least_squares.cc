#include "core/family/least_squares.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "unsupported/Eigen/LevenbergMarquardt"

namespace curvecast {
namespace {

constexpr double kVeryBad = 1e6;      // Stands for a residual that is not finite.
constexpr double kDifference = 6e-6;  // About the cube root of a double's epsilon: best for central differences.
constexpr double kTolerance = 1e-10;

// Huber's rho as the square of something smooth, so that least squares can minimise it.
double Root(double residual, double delta) {
  const double size = std::fabs(residual);
  if (!(size < kVeryBad)) return std::copysign(std::sqrt(2 * delta * kVeryBad), std::isnan(residual) ? 1 : residual);
  return size <= delta ? residual : std::copysign(std::sqrt(2 * delta * size - delta * delta), residual);
}

// What Eigen's solver asks for.
class Functor : public Eigen::DenseFunctor<double> {
 public:
  Functor(const HuberProblem& problem, const Eigen::VectorXd& start)
      : Eigen::DenseFunctor<double>(static_cast<int>(start.size()),
                                    static_cast<int>(problem.count + (problem.ridge > 0 ? start.size() : 0))),
        problem_(problem),
        start_(start),
        raw_(problem.count) {}

  int operator()(const Eigen::VectorXd& free, Eigen::VectorXd& out) const {
    raw_.setZero();
    problem_.residuals(free, raw_);
    CURVECAST_CHECK(raw_.size() == problem_.count);
    for (Eigen::Index i = 0; i < problem_.count; ++i) {
      const double weight = problem_.weights.empty() ? 1 : problem_.weights[static_cast<size_t>(i)];
      out[i] = std::sqrt(weight) * Root(raw_[i], problem_.delta);
    }
    if (problem_.ridge > 0) out.tail(start_.size()) = problem_.ridge * (free - start_);
    return 0;
  }

  int df(const Eigen::VectorXd& free, Eigen::MatrixXd& jacobian) const {
    Eigen::VectorXd at = free, above(values()), below(values());
    for (Eigen::Index p = 0; p < free.size(); ++p) {
      const double step = kDifference * std::max(1.0, std::fabs(free[p]));
      at[p] = free[p] + step;
      (*this)(at, above);
      at[p] = free[p] - step;
      (*this)(at, below);
      at[p] = free[p];
      jacobian.col(p) = (above - below) / (2 * step);
    }
    return 0;
  }

 private:
  const HuberProblem& problem_;
  const Eigen::VectorXd& start_;
  mutable Eigen::VectorXd raw_;
};

}  // namespace

std::optional<HuberFit> FitHuber(const HuberProblem& problem, const std::vector<Eigen::VectorXd>& starts) {
  CURVECAST_CHECK(problem.delta > 0);
  CURVECAST_CHECK(problem.weights.empty() || static_cast<Eigen::Index>(problem.weights.size()) == problem.count);
  std::optional<HuberFit> best;
  for (const Eigen::VectorXd& start : starts) {
    if (!start.allFinite() || problem.count < 1) continue;
    if (problem.ridge <= 0 && problem.count < start.size()) continue;
    Functor functor(problem, start);
    Eigen::LevenbergMarquardt<Functor> solver(functor);
    solver.setMaxfev(problem.most_evaluations);
    solver.setFtol(kTolerance);
    solver.setXtol(kTolerance);
    Eigen::VectorXd free = start;
    solver.minimize(free);
    if (!free.allFinite()) continue;
    Eigen::VectorXd residuals(functor.values());
    functor(free, residuals);
    const double cost = residuals.squaredNorm();
    if (!std::isfinite(cost) || (best.has_value() && best->cost <= cost)) continue;
    best = HuberFit{.free = free, .cost = cost};
  }
  return best;
}

double Within(double low, double high, double free) {
  return low + (high - low) / (1 + std::exp(-std::clamp(free, -30.0, 30.0)));
}

double FreeOf(double low, double high, double value) {
  const double share = std::clamp((value - low) / (high - low), 1e-6, 1 - 1e-6);
  return std::log(share / (1 - share));
}

double Median(std::vector<double> values) {
  CURVECAST_CHECK(!values.empty());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double HuberDelta(const Eigen::VectorXd& residuals, double least) {
  if (residuals.size() == 0 || !residuals.allFinite()) return least;
  std::vector<double> sizes(static_cast<size_t>(residuals.size()));
  for (Eigen::Index i = 0; i < residuals.size(); ++i) sizes[static_cast<size_t>(i)] = std::fabs(residuals[i]);
  return std::max(least, 1.345 * 1.4826 * Median(std::move(sizes)));
}

}  // namespace curvecast
