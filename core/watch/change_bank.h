#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/step.h"
#include "core/watch/lanes.h"
#include "core/watch/reference.h"

namespace curvecast {

// Tests whether the curve has left its reference since some earlier point, for steps and for ramps, up and down, at
// thirteen earlier points at a time (the nearest ones close together, the farthest far apart).
//
// A fault that starts at s changes the observations, and through the filter's gain the state that is learned from them.
// What is left of it in the innovations is known (Willsky and Jones 1976): g_t = h_t - f_t' F G_{t-1}, G_t = F G_{t-1}
// + K_t g_t, with h the fault's own course and F what moves the state on. So the amplitude that fits best since s is b
// / a, with a = sum g^2 / S and b = sum g nu / S, whatever the filter has taken over of the fault, and however little
// it knew of the curve before.
//
// For an amplitude d the likelihood ratio since s is exp(d b - d^2 a / 2). Its mixture over amplitudes and its sum over
// s is an e-detector (Shirayev 1963, Roberts 1966; Shin, Ramdas and Rinaldo 2024): while nothing has changed the mean
// of the sum grows by 1 a point, so that it passes A once in A points on average, or less often.
class ChangeBank {
 public:
  ChangeBank() { Clear(); }

  static constexpr size_t kStarts = 13;
  static constexpr int64_t kOldest = 1024;  // Points back.

  enum class Course { kStep, kRamp };
  enum class Side { kUp, kDown };

  // A point, what was expected of it, and its innovation (clipped) with the whole variance that this had; the
  // correlation that it was whitened by.
  struct Point {
    const Reference::Expected& expected;
    double innovation = 0;
    double variance = 1;
    double correlation = 0;
    Step step = 0;
    double level = 0;  // Of the reference here, before the point.
  };
  void Add(const Point& point);

  struct Finding {
    Course course = Course::kStep;
    int64_t points = 0;        // Since the change, the newest included.
    Step began = 0;            // The first of them.
    double level = 0;          // Of the reference there.
    double amplitude = 0;      // Of the step, or of the ramp up to now, in log loss; signed.
    double log_evidence = 0;   // Log of the sum above.
    Reference::Vector effect;  // What the change has done to the state: to be taken out of it.
  };
  // What passes this threshold (log A) on a side, at the earlier point and course that speak most for it. Amplitudes
  // are tried in units of `point_sd`, a step's up to `largest_shift`.
  std::optional<Finding> Find(Side side, double log_threshold, double point_sd, double largest_shift) const;

  void Clear();

  template <class Archive>
  void Fields(Archive& archive) {
    archive(list_, starts_, on_state_, square_, product_);
  }

 private:
  // An effect for each course of each start: a column, so that all are followed at once.
  static constexpr size_t kSlots = kStarts + 1;
  static constexpr Eigen::Index kEffects = 2 * static_cast<Eigen::Index>(kSlots);
  static_assert(kEffects == static_cast<Eigen::Index>(lanes::kEffects));
  using Effects = Eigen::Array<double, 1, kEffects>;
  struct Start {
    int64_t age = 0;  // Points since, that one included.
    Step at = 0;
    double level = 0;  // Of the reference there.
    size_t slot = 0;   // Of its effects.

    Eigen::Index step() const { return 2 * static_cast<Eigen::Index>(slot); }
    Eigen::Index ramp() const { return step() + 1; }
    template <class Archive>
    void Fields(Archive& archive) {
      archive(age, at, level, slot);
    }
  };
  // False: nothing passes this threshold, since no start alone comes near: with the amplitude that fits best its
  // evidence is b^2 / 2a. Nearly always so.
  bool MayFind(double log_threshold) const;
  void Open(const Point& point);
  void Thin();
  void Forget(const Start& start);
  void Follow(const Point& point, const Effects& course);

  std::array<Start, kSlots> list_;  // Oldest first; every slot is some start's, or will be.
  size_t starts_ = 0;
  Eigen::Array<double, Reference::kStates, kEffects, Eigen::RowMajor> on_state_;  // G.
  Effects square_, product_;                                                      // a, b.
};

}  // namespace curvecast
