#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/step.h"

namespace curvecast {

// How a run leaves the law. The numbers are kept in the journal: append only.
enum class FlagKind : int {
  kNonFinite = 1,     // A value is NaN or infinite.
  kSpike = 2,         // One point, or a few, far above the curve.
  kShift = 3,         // The curve lies higher than it should, from one step on.
  kDrift = 4,         // The curve leaves its law upward, slowly.
  kOffLaw = 5,        // The end that is forecast lies outside what was forecast before.
  kOffFamily = 6,     // The curve lies outside of what its finished siblings did.
  kPlateau = 7,       // The curve has stopped falling where the law still falls.
  kDivergence = 8,    // The loss rises, faster and faster or far.
  kNoiseChange = 9,   // The points scatter more, or less, than they did.
  kTooGood = 10,      // The curve lies lower than the law allows: a leak, repeated data, a false restart.
  kOverfit = 11,      // The evaluation's loss rises while the train loss keeps to its law.
  kGradNorm = 12,     // The gradient's norm left its range.
  kLrMismatch = 13,   // The logged learning rate is not the declared schedule's.
  kSilent = 14,       // No point for much longer than a step takes.
  kStuckAtStart = 15  // The loss has stayed where it began.
};
inline constexpr int kFlagKinds = 15;

enum class Severity : int { kInfo = 1, kWarning = 2, kCritical = 3 };

// Why a flag is no longer active.
enum class Resolution : int {
  kActive = 0,
  kRecovered = 1,   // What it says holds no longer.
  kSuperseded = 2,  // It was raised on a branch that a rewind took away.
  kReplaced = 3,    // A flag of another kind, raised at the same step, says more.
  kEnded = 4,       // The run is over.
  kAccepted = 5,    // It held for so long that it is what the run now is.
};

// "SPIKE", "OFF_LAW": as in flag.proto.
std::string_view NameOf(FlagKind kind);
std::string_view NameOf(Severity severity);
std::string_view NameOf(Resolution resolution);

// What a test saw, enough to do it again. Values are in the metric's own unit, times in seconds for SILENT.
struct Evidence {
  double statistic = 0;  // What was compared: see core/watch/README.md for each kind.
  double threshold = 0;  // With what. The flag was raised because statistic >= threshold.
  double expected = 0;   // What the reference said for `seen`.
  double seen = 0;       // The newest value, or the mean of the newest, that the test was about.
  double sigma = 0;      // Noise of a single point; 0 where the kind has none.
  int64_t points = 0;    // That the statistic is of.
  double share = 0;      // Part of the budget of false alarms that this test may spend.
  // The test's threshold is set for one false alarm in this many points; 0 where the kind has no such test.
  double mean_points_between_false_alarms = 0;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(statistic, threshold, expected, seen, sigma, points, share, mean_points_between_false_alarms);
  }

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

// One way in which a run has left the law, once: raised, updated, resolved. At most one flag of a kind and metric is
// active in a run.
struct Flag {
  FlagKind kind = FlagKind::kNonFinite;
  Severity severity = Severity::kWarning;
  std::string metric;     // That it is about.
  Step began_step = 0;    // Where the deviation began, as the test has it.
  Step raised_step = 0;   // Newest step of the metric when it was raised.
  Step updated_step = 0;  // Likewise of the newest change.
  Evidence evidence;      // Of the newest change.
  Resolution resolution = Resolution::kActive;

  bool active() const { return resolution == Resolution::kActive; }
  template <class Archive>
  void Fields(Archive& archive) {
    archive(kind, severity, metric, began_step, raised_step, updated_step, evidence, resolution);
  }
  friend bool operator==(const Flag&, const Flag&) = default;
};

// What happened to a flag: the whole flag as it then is.
struct FlagChange {
  enum class What : int { kRaised = 1, kUpdated = 2, kResolved = 3 };
  What what = What::kRaised;
  Flag flag;

  friend bool operator==(const FlagChange&, const FlagChange&) = default;
};

// One sentence for a person, with the numbers: "train/loss is 2.31 where 2.05 is expected (6.2 sigma above), since step
// 1200."
std::string Describe(const Flag& flag);

}  // namespace curvecast
