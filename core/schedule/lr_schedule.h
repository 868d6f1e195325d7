#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/step.h"

namespace curvecast {

enum class Decay { kNone, kCosine, kLinear, kExponential, kOneMinusSqrt };

// "none", "cosine", "linear", "exponential", "one-minus-sqrt".
std::string_view NameOf(Decay decay);

// A planned learning rate as a job declares it. See Schedule in run.proto for the meaning of each field.
struct ScheduleSpec {
  double peak_lr = 0;
  double final_lr = 0;
  Step warmup_steps = 0;
  Decay decay = Decay::kNone;
  Step decay_start_step = 0;
  // If not empty, used instead of the shape. Strictly increasing steps; rates >= 0, one of them > 0.
  std::vector<Step> knot_steps = {};
  std::vector<double> knot_lrs = {};

  template <class Archive>
  void Fields(Archive& archive) {
    archive(peak_lr, final_lr, warmup_steps, decay, decay_start_step, knot_steps, knot_lrs);
  }

  friend bool operator==(const ScheduleSpec&, const ScheduleSpec&) = default;
};

// Checks a declaration: what is wrong, the value, and what to write instead. `total_steps` is needed by a shape that
// decays.
absl::Status CheckSchedule(const ScheduleSpec& spec, std::optional<Step> total_steps);

// The learning rate as a function of the step, over its peak, with its running sum. Pure and immutable.
class LrSchedule {
 public:
  // Fails as CheckSchedule does.
  static absl::StatusOr<LrSchedule> Create(const ScheduleSpec& spec, std::optional<Step> total_steps);
  static LrSchedule Constant();

  // e(t): the rate at a step over the highest rate of the schedule, in [0, 1].
  double RelativeRate(double step) const;
  // S(t): the sum (integral) of e from 0 to t, in steps. S(0) = 0, never falls.
  double SummedRate(double step) const;

  double peak_lr() const { return peak_lr_; }
  // The highest e is reached at this step; before it the run warms up.
  double warmup_end() const { return warmup_end_; }
  // True if e is 1 at every step after warm-up.
  bool constant() const { return constant_; }

  // The schedule as line segments: at knot k the step, e and S; linear in e between knots. Decays that are curves are
  // cut finely enough that e is within 1e-4 of the formula. Held before the first knot and after the last.
  struct Knot {
    double step;
    double rate;
    double summed;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(step, rate, summed);
    }
  };
  const std::vector<Knot>& knots() const { return knots_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(knots_, peak_lr_, warmup_end_, constant_);
  }

 private:
  std::vector<Knot> knots_;
  double peak_lr_ = 0;
  double warmup_end_ = 0;
  bool constant_ = false;
};

}  // namespace curvecast
