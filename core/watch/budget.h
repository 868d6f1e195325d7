#pragma once

#include <cstdint>

namespace curvecast {

// What part of a run's false alarms each test may spend. The parts sum to 1.
struct BudgetShares {
  static constexpr double kSpike = 0.3;   // Single points and pairs.
  static constexpr double kAbove = 0.3;   // SHIFT, DRIFT, PLATEAU, DIVERGENCE: one test names them all.
  static constexpr double kBelow = 0.1;   // TOO_GOOD.
  static constexpr double kNoise = 0.1;   // NOISE_CHANGE.
  static constexpr double kBeside = 0.2;  // OVERFIT, GRAD_NORM, and the tests on forecasts.
};

// How many points there are to be between two false alarms of a run, from what the operator asks and the run's own
// pace.
class Budget {
 public:
  Budget(double false_alarms_per_1000_run_days, double mean_points)
      : per_1000_days_(false_alarms_per_1000_run_days), mean_points_(mean_points) {}

  // Points of the objective arrived at this time (0: not known).
  void Arrived(int64_t time_unix_micros, double points);

  // All tests together. Between kFewest and kMost.
  double MeanPoints() const;

  static constexpr double kFewest = 1e4, kMost = 1e9;

  // What the operator asks comes by the constructor.
  template <class Archive>
  void Fields(Archive& archive) {
    archive(first_at_, newest_at_, points_);
  }

 private:
  double per_1000_days_;
  double mean_points_;
  int64_t first_at_ = 0, newest_at_ = 0;
  double points_ = 0;
};

}  // namespace curvecast
