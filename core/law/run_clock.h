#pragma once

#include <optional>
#include <vector>

#include "core/law/plan.h"

namespace curvecast {

// Whether the law knows a run's rate. Each kind has features, archetypes and calibration of its own.
enum class RateKind {
  kUnknown,  // No schedule: steps stand for summed rate.
  kKnown,
};
inline constexpr size_t kRateKinds = 2;

// The run's own time: x(t) = S(t) / S(T), the share of the planned summed rate that is spent, 0 to 1. Without a
// schedule x = t / T. T is the planned end, or the newest step once the run is past it.
class RunClock {
 public:
  // plan.total_steps is given.
  RunClock(const Plan& plan, Step newest);

  RateKind kind() const { return schedule_ == nullptr ? RateKind::kUnknown : RateKind::kKnown; }
  double end() const { return end_; }  // T.
  double warmup_end() const;           // In steps.
  double Share(double step) const;     // x.
  double Progress(double step) const { return step < end_ ? step / end_ : 1; }
  // The relative rate, clipped from below; 1 during warm-up, which is no drop.
  double Rate(double step) const;
  // How far, as a standard deviation of the log loss, a curve may lie off the law because the run is young. It takes
  // steps of a known size: 0 where the plan does not say what a step is.
  double YouthDoubt(double step) const;

  // The rate from the end of warm-up to T as a few drops (or rises, negative): at x, by how much.
  struct Drop {
    double share, fall;
  };
  const std::vector<Drop>& drops() const { return drops_; }

 private:
  void FindDrops();

  const LrSchedule* schedule_;  // Null: unknown. Outlives the clock.
  bool sized_steps_;
  double end_;
  double summed_end_ = 0;
  std::vector<Drop> drops_;
};

}  // namespace curvecast
