#pragma once

#include <optional>

#include "tests/bench/peers/prefix.h"

// What people use today to say where a run will end, from the formulas, each fitted to one prefix alone. All are pure,
// take any doubles, and give a finite number or nothing. README.md has the bounds, the starts and the loss.
namespace curvecast::peers {

// The newest finite value.
std::optional<double> LastValue(const Prefix& prefix);

// L(t) = E + A (t/T)^-a at T; what a script with scipy.optimize does. Past the first 2 % of the plan, at least 4
// points.
std::optional<double> PowerLawInSteps(const Prefix& prefix);

// L(t) = L0 + A S(t)^-a - B sum_k (e_{k-1} - e_k) [1 - (1 + C e_k^-g (S(t) - S_k))^-b] (Luo et al. 2025),
// e the rate over its peak and S its sum over S(T). Needs a schedule and 4 points after warm-up.
std::optional<double> MultiPowerLaw(const Prefix& prefix);

// L(t) = L0 + A S(t)^-a - C S2(t), S2 the summed exponential average of the drops of e with lambda = 0.999 (Tissue et
// al. 2024). Needs a schedule and 4 points after warm-up.
std::optional<double> MomentumLaw(const Prefix& prefix);

}  // namespace curvecast::peers
