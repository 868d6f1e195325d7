#pragma once

#include <cstddef>

#include "core/watch/reference.h"

// The inner loops of a point, which all columns go through alike. Compiled for wider vectors as well where the machine
// has them: to the same bits, since no sum runs across columns and nothing is contracted.
namespace curvecast::lanes {

inline constexpr size_t kWidth = 4;  // A multiple of it is as many columns as a loop takes.

// covariance * row.
void Gain(const Reference::Matrix& covariance, const Reference::Vector& row, Reference::Vector& gain);

// covariance -= gain gain' / total.
void Downdate(Reference::Matrix& covariance, const Reference::Vector& gain, double total);

// One observation of `kEffects` faults, see ChangeBank. `state` has a row of kEffects for each of `rows` states.
inline constexpr size_t kEffects = 28;
struct Faults {
  double* state;
  size_t rows;
  double* square;  // kEffects, as the next ones.
  double* product;
  const double* course;
};
void Follow(const Faults& faults, const double* row, const double* gain, double weight, double weighted_innovation);

// Whether any effect has a product with product^2 > most * square.
bool AnyBeyond(const double* product, const double* square, double most);

}  // namespace curvecast::lanes
