#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace curvecast {

// A point on its way. 32 bytes.
struct LoggedPoint {
  static constexpr int64_t kNoResume = -1;
  const std::string* metric = nullptr;  // Owned by the buffer, as long as it lives.
  int64_t step = 0;
  double value = 0;
  // Not kNoResume: a new life of the run starts with this point, resumed at this step.
  int64_t resume_step = kNoResume;
};

// What the job does without a point, and for how long at most; see Phase in run.proto.
struct LoggedPhase {
  std::string name;
  double max_seconds = 0;
};

// Where a job's points wait for the link. Append() is called by the job's threads and holds the lock for an insertion;
// Take() by the link's thread. Neither waits for anything else. Past the cap what waits is thinned (ThinPoints), so
// that a long absence of the daemon costs resolution and no part of the curve; what went is counted.
class PointBuffer {
 public:
  // The objective among them; points of further metrics are refused, and counted. The daemon's own default, since it
  // would refuse a whole batch for one metric too many.
  static constexpr size_t kMaxMetrics = 64;

  // A cap below it drops the oldest points instead.
  static constexpr size_t kLeastToThin = 64;

  PointBuffer(std::string objective, size_t max_points);

  // Refuses (false, and counts) a step outside [0, 2^53], a metric that is no name, and anything after Close(). A step
  // of the objective below its last one opens a new life; what still waits here of the other metrics, logged since that
  // last one at this step or later, goes with it.
  bool Append(int64_t step, std::string_view metric, double value);

  // The next point opens a new life, resumed at `step`. For a writer that knows, with an empty objective so that none
  // is guessed.
  void Rewind(int64_t step);

  // The job begins something long, behind all points logged so far. At most one phase waits here: a later one takes its
  // place, and the objective's next point takes it away, since it is then over. Refuses (false) what is no time above
  // 0, and anything after Close(); more than 30 days are taken as 30 days. Of the name the first 128 bytes are kept,
  // and what is not printable ASCII becomes a question mark, since the stream breaks on text that is not UTF-8.
  bool BeginPhase(std::string_view name, double max_seconds);

  // The phase that waits, unless points wait before it.
  std::optional<LoggedPhase> TakePhase();

  // The oldest points, at most `max_points`, up to where the next life starts; a life's first point is the first taken.
  // Nothing if that would start a life and `may_start_life` is false.
  std::vector<LoggedPoint> Take(size_t max_points, bool may_start_life);

  size_t size() const;  // In points.
  bool empty() const;   // Of phases too.
  void Close();
  void Discard();  // Drops what is there, and counts it.

  struct Counts {
    uint64_t logged = 0;   // All that was offered.
    uint64_t dropped = 0;  // Refused, or pushed out.
    uint64_t thinned = 0;  // Of them: thinned out.
  };
  Counts counts() const;

 private:
  const std::string* Intern(std::string_view metric);
  void StartLife();
  void MakeRoom();
  void DropOldest();

  const std::string objective_;
  const size_t max_points_;  // At least 2: a dropped point's successor is always there.
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> metrics_;
  std::deque<LoggedPoint> points_;
  std::optional<int64_t> last_objective_step_;
  std::optional<LoggedPhase> phase_;
  int64_t next_resume_ = LoggedPoint::kNoResume;  // Of the next point.
  bool begun_ = false;                            // A point was taken that tells where the life begins.
  int64_t gap_ = 0;                               // In steps, by which it was thinned last.
  size_t oldest_to_go_ = 0;                       // Before it is worth thinning again.
  bool closed_ = false;
  Counts counts_;
};

}  // namespace curvecast
