#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "Eigen/Core"

namespace curvecast {

// A number learned from runs, and its standard error.
struct Estimate {
  double value = 0;
  double sd = 0;
};

// Covariance of an estimate by the delete-a-group jackknife (Quenouille 1949, Tukey 1958): (G - 1) / G x the sum of
// squares of the estimates without each group about their mean. `without(g)` is the estimate without group g of
// `groups`; one that fails (nothing) is left out. Nothing unless at least three succeed and all that do are finite.
std::optional<Eigen::MatrixXd> JackknifeCovariance(
    size_t groups, const std::function<std::optional<Eigen::VectorXd>(size_t)>& without);

// Groups a jackknife has at most; what is more is dealt out in turn.
inline constexpr size_t kMostJackknifeGroups = 64;

}  // namespace curvecast
