#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace curvecast::train_lm {

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine and library, which std's distributions are
// not.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  // Uniform in [0, n); n is so far below 2^64 that the remainder's bias does not matter.
  uint64_t Below(uint64_t n) { return Next() % n; }
  // Uniform in (0, 1].
  double Uniform() { return (static_cast<double>(Next() >> 11U) + 1) * 0x1p-53; }
  // Standard normal (Box and Muller).
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

// One seed out of two numbers.
inline uint64_t Mix(uint64_t a, uint64_t b) { return Random(Random(a).Next() ^ (b * 0xD1342543DE82EF95U)).Next(); }

}  // namespace curvecast::train_lm
