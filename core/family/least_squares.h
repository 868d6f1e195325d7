#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "Eigen/Core"

namespace curvecast {

// A robust non-linear least-squares problem: the parameters that make the sum of weight x rho(residual) smallest, with
// Huber's rho(r) = r^2 for |r| <= delta and 2 delta |r| - delta^2 beyond (Huber 1964; scipy's loss="huber" with
// f_scale = delta). Parameters are free: keep one inside a box by writing it as Within(low, high, free).
struct HuberProblem {
  // Fills in one residual a row, in natural units, at the free parameters. A residual that is not finite makes those
  // parameters very bad, not the fit wrong.
  std::function<void(const Eigen::VectorXd& free, Eigen::VectorXd& residuals)> residuals;
  Eigen::Index count = 0;       // Of residuals.
  double delta = 0.01;          // In units of the residuals, > 0.
  std::vector<double> weights;  // One a residual, >= 0. Empty: all 1.
  double ridge = 0;             // Adds (ridge x (free - start))^2: what the data do not tell stays where it started.
  int most_evaluations = 300;   // From each start; the numerical Jacobian's do not count.
};

struct HuberFit {
  Eigen::VectorXd free;
  double cost = 0;  // The sum above, with the ridge's part.
};

// The best of several starts by Levenberg and Marquardt's method (Eigen's port of MINPACK's lmder), with a Jacobian by
// central differences. Deterministic. Nothing if there are fewer residuals than parameters and no ridge, or if no start
// led to a finite cost.
std::optional<HuberFit> FitHuber(const HuberProblem& problem, const std::vector<Eigen::VectorXd>& starts);

// A number between low and high (both excluded, low < high) for any free one, by the logistic function; and the free
// number for it. A value outside is brought inside first.
double Within(double low, double high, double free);
double FreeOf(double low, double high, double value);

// The median; half the sum of the middle two for an even number. Values not empty, all finite.
double Median(std::vector<double> values);

// Huber's delta for residuals of unknown spread: 1.345 x 1.4826 x their median absolute value, 95 % efficient where
// they are Gaussian, and never below `least`.
double HuberDelta(const Eigen::VectorXd& residuals, double least);

}  // namespace curvecast
