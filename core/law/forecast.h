#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/step.h"

namespace curvecast {

// Why there is no forecast. The numbers are kept in the journal: append only.
enum class NotYet : int {
  kAnswered = 0,      // There is one.
  kTooFewPoints = 1,  // Too few, or too early in the run, to place the curve.
  kWarmup = 2,        // The rate has not reached its peak.
  kNoPlan = 3,        // No total_steps: there is no end to forecast.
  kNotFalling = 4,    // The curve does not follow the law: it is flat or rising where the law falls.
  kNonFinite = 5,     // The newest points are NaN or infinite.
  kOutsideLaw = 6,    // Values that the law cannot hold, such as a loss at or below zero.
  kUnsupported = 7,   // For example an objective that is maximised and no share.
  kTooSteep = 8,      // The rate is to fall faster than in any run that was learned from.
  kOffLaw = 9,        // The curve, or the end that it would have, is none of the law's.
};

// One sentence for a person, such as "the learning rate is still warming up".
std::string_view Explain(NotYet reason);

inline constexpr std::array<double, 5> kQuantileLevels = {0.05, 0.25, 0.5, 0.75, 0.95};

struct PathPoint {
  Step step = 0;
  double p05 = 0, p50 = 0, p95 = 0;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(step, p05, p50, p95);
  }
};

// What a forecast leaned on besides the run's own curve and the shipped prior.
struct LeanedOn {
  int relatives = 0;  // Finished runs of the project.
  int siblings = 0;   // Of those, of the run's own family.
  double factor = 0;  // Of the interval about its median; 0 if that is not known (an old journal).
  // How far the newest points, in the middle, lie on the worse side of what those runs say of them, before the run's
  // own points: in standard deviations of that, and what they say of the last, in the objective's unit. 0 without
  // relatives.
  double deviation = 0;
  double expected = 0;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(relatives, siblings, factor, deviation, expected);
  }
};

// What is said about the end of a run. Every number is finite if reason is kAnswered.
struct Forecast {
  NotYet reason = NotYet::kTooFewPoints;
  Step step = 0;                         // Newest step seen.
  double progress = 0;                   // step / total_steps; 0 without a total.
  std::array<double, 5> quantiles = {};  // Of the objective at total_steps, at kQuantileLevels; never decreasing.
  double expected_value = 0;             // The law's curve at `step`, noise removed.
  std::vector<PathPoint> path;           // From `step` to total_steps, at most 33 points.
  LeanedOn leaned;                       // Counts and factor are set by who leans: MakeForecast of core/engine.

  bool answered() const { return reason == NotYet::kAnswered; }
  double median() const { return quantiles[2]; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(reason, step, progress, quantiles, expected_value, path, leaned);
  }
};

}  // namespace curvecast
