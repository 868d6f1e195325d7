#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "core/base/step.h"
#include "core/watch/flag.h"

namespace curvecast {

// Tells a run that has fallen silent from one that pauses as it always does. What a run is used to it learns from the
// times at which batches with points arrive: the typical pause is the median of the newest kKept, and the longest is
// remembered and fades, so that an evaluation that has been seen once is not news the next time.
//
// Silent is a run whose pause reaches
//   max(silent_after_seconds, kTypical * typical pause, kLongest * longest pause)
// unless a phase that the job declared covers it: up to the phase's end, plus silent_after_seconds. WARNING at first,
// CRITICAL after kCritical times as long; RECOVERED with the next points.
//
// Points of any metric and any writer count: of a job that hangs while another of its processes goes on reporting this
// says nothing.
//
// Nothing is said of a life of the job that has not sent points twice (how long a job takes to start is not known), nor
// of points whose time is not known. Pauses that are not the run's own teach nothing: those that a phase covers, those
// while the daemon heard nobody, and those between two lives of the job.
//
// Times are Unix microseconds. Constant memory; a Tick that finds nothing is one comparison.
class Silence {
 public:
  static constexpr size_t kKept = 16;
  static constexpr double kTypical = 10;
  static constexpr double kLongest = 3;
  static constexpr double kCritical = 10;
  // In which the longest pause fades to a half: an undeclared pause may come again within 4.7 days, since
  // kLongest / 2^(4.7 / 3) is 1.
  static constexpr double kHalfLifeSeconds = 3 * 86400;

  // Where a change of a flag is put: the run's objective and its newest step.
  struct Place {
    const std::string& metric;
    Step newest = 0;
  };

  explicit Silence(double silent_after_seconds) : silent_after_(silent_after_seconds) {}

  // A batch came. One without points says nothing: what matters in it is told by Began or by Ended.
  std::optional<FlagChange> Arrived(int64_t time, size_t points, const Place& place);
  // A point of the objective came: whatever the job declared is over. After Arrived.
  void Progressed() {
    if (phase_until_ > 0) EndPhase();
  }
  // The job declares a phase without points.
  void Began(int64_t time, double max_seconds);
  // The job has a new life, which is yet to send points.
  void Restarted();
  // Until now nobody could be heard, or this clock was another: no pause began before. What is silent stays so.
  void Resumed(int64_t now);
  // The flag that is active after a replay, which has no ticks.
  void Restore(const Flag& flag);
  // Nothing came: it is this late now.
  std::optional<FlagChange> Tick(int64_t now, const Place& place) {
    if (static_cast<double>(now) * 1e-6 < next_at_) return std::nullopt;
    return Speak(static_cast<double>(now) * 1e-6, place);
  }
  // The run is over.
  std::optional<FlagChange> Ended(const Place& place) { return Resolve(Resolution::kEnded, place); }

  const std::optional<Flag>& active() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(pauses_, learned_, longest_, arrivals_, heard_at_, listening_since_, phase_until_, next_at_, flag_);
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  double QuietSince() const { return heard_at_ > listening_since_ ? heard_at_ : listening_since_; }
  void Learn(double pause);
  double Typical() const;
  void EndPhase();
  void Schedule();
  std::optional<FlagChange> Speak(double now, const Place& place);
  std::optional<FlagChange> Resolve(Resolution resolution, const Place& place);

  // Unix seconds; 0: not known.
  double silent_after_;
  std::array<float, kKept> pauses_ = {};  // A ring, of the newest.
  size_t learned_ = 0;                    // Pauses ever.
  double longest_ = 0;                    // As it has faded until heard_at_.
  int arrivals_ = 0;                      // With points, in this life; 2 stands for more.
  double heard_at_ = 0;                   // The newest of them.
  double listening_since_ = 0;            // When the daemon came back.
  double phase_until_ = 0;
  double next_at_ = kNever;  // When there is something to say.
  std::optional<Flag> flag_;
};

}  // namespace curvecast
