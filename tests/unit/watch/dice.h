#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace curvecast::testing {

// Random numbers that are the same with every library: SplitMix64 (Steele, Lea and Flood 2014), normals by Box and
// Muller, Student's t by Bailey 1994.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In (0, 1).
  double Uniform() { return (static_cast<double>(Bits() >> 11) + 0.5) * 0x1p-53; }
  double Normal() {
    if (kept_) {
      kept_ = false;
      return other_;
    }
    const double radius = std::sqrt(-2 * std::log(Uniform())), angle = 2 * std::numbers::pi * Uniform();
    other_ = radius * std::sin(angle);
    kept_ = true;
    return radius * std::cos(angle);
  }
  double StudentT(double freedom) {
    const double radius = std::sqrt(freedom * (std::pow(Uniform(), -2 / freedom) - 1));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
  double other_ = 0;
  bool kept_ = false;
};

// The noise of a run's points in log loss.
struct NoiseLaw {
  double sd = 0.003;       // Of a point by itself.
  double correlation = 0;  // Of neighbours.
  double freedom = 0;      // Of Student's t; 0: normal.
};

class NoiseCourse {
 public:
  NoiseCourse(const NoiseLaw& law, uint64_t seed) : law_(law), dice_(seed) { now_ = Innovation(); }

  double Next() {
    const double point = law_.sd * now_;
    now_ = law_.correlation * now_ + std::sqrt(1 - law_.correlation * law_.correlation) * Innovation();
    return point;
  }

 private:
  // Of variance 1.
  double Innovation() {
    return law_.freedom > 0 ? dice_.StudentT(law_.freedom) * std::sqrt((law_.freedom - 2) / law_.freedom)
                            : dice_.Normal();
  }

  NoiseLaw law_;
  Dice dice_;
  double now_ = 0;
};

}  // namespace curvecast::testing
