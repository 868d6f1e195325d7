#pragma once

#include <optional>
#include <span>

#include "core/family/relative.h"
#include "core/law/belief.h"

namespace curvecast {

// What the relatives say of a run before its points: a Gaussian process over runs (Rasmussen and Williams 2006, ch. 2),
// with the same kernel for each coefficient after whitening,
//
//   k(r, s) = c + sum_i linear_i z_i z'_i + smooth exp(-sum_i ((z_i - z'_i) / reach_i)^2 / 2)
//           + family [same family] + labels (share of equal textual labels) + own [r = s]
//
// z the traits, centered; one that a run lacks is taken for the relatives' mean. Its covariance is Kinship::within,
// drawn towards how far the relatives lie off what the others say of each (leave one out), so that a project in which
// runs resemble each other less than usual says so. Needs at least kFewestRelatives, all of one kind.
inline constexpr size_t kFewestRelatives = 1;
std::optional<Belief> LeanOn(std::span<const Relative* const> relatives, const Descent& descent, const Traits& traits,
                             const Kinship& kinship);

// The kernel less its constant and `own`, of centered traits.
double Likeness(const Descent& a, const std::array<double, kTraits>& at, const Descent& b,
                const std::array<double, kTraits>& bt, const Kinship& kinship);

// Share of the textual labels that both have which are equal; 0 without any. A label that reads as a number is none:
// what matters of it is among the traits.
double LabelLikeness(const Descent& a, const Descent& b);

// Squared distance of the traits that both have, in reaches.
double Distance(const Traits& a, const Traits& b, const Kinship& kinship);

}  // namespace curvecast
