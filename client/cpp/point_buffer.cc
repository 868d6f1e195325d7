#include "client/cpp/point_buffer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "client/cpp/thin_points.h"

namespace curvecast {
namespace {

constexpr int64_t kLargestStep = int64_t{1} << 53;
constexpr size_t kMaxNameBytes = 128;
constexpr double kLongestPhaseSeconds = 30 * 86400.0;

// The form that run.proto asks for; checked here because the daemon would refuse a whole batch for one bad name.
bool IsMetricName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/-").find(c) != std::string_view::npos;
  });
}

}  // namespace

PointBuffer::PointBuffer(std::string objective, size_t max_points)
    : objective_(std::move(objective)), max_points_(std::max<size_t>(max_points, 2)) {
  if (!objective_.empty()) metrics_.insert(objective_);  // Its place is kept.
}

const std::string* PointBuffer::Intern(std::string_view metric) {
  auto it = metrics_.find(metric);
  if (it == metrics_.end()) {
    if (metrics_.size() >= kMaxMetrics || !IsMetricName(metric)) return nullptr;
    it = metrics_.emplace(metric).first;
  }
  return &*it;
}

bool PointBuffer::Append(int64_t step, std::string_view metric, double value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++counts_.logged;
  const std::string* name = closed_ || step < 0 || step > kLargestStep ? nullptr : Intern(metric);
  if (name == nullptr) {
    ++counts_.dropped;
    return false;
  }
  if (points_.size() >= max_points_) MakeRoom();
  points_.push_back({name, step, value, std::exchange(next_resume_, LoggedPoint::kNoResume)});
  if (*name == objective_) {
    phase_.reset();
    if (last_objective_step_.has_value() && step < *last_objective_step_) StartLife();
    last_objective_step_ = step;
  }
  return true;
}

// The newest point, of the objective, goes back. A job logs the metrics of a step in any order: what came since the
// last point of the objective and lies at this step or later belongs to the new life, and would be superseded in the
// old one. If the old one's points of the objective were all dropped, the two are one life.
void PointBuffer::StartLife() {
  const int64_t step = points_.back().step;
  auto tail = points_.end() - 1;
  while (tail != points_.begin() && tail->resume_step == LoggedPoint::kNoResume && *(tail - 1)->metric != objective_) {
    --tail;
  }
  if (tail->resume_step == LoggedPoint::kNoResume) {
    tail = std::stable_partition(tail, points_.end(), [step](const LoggedPoint& point) { return point.step < step; });
    tail->resume_step = step;
  }
  tail->resume_step = std::min(tail->resume_step, step);
}

void PointBuffer::Rewind(int64_t step) {
  const std::lock_guard<std::mutex> lock(mutex_);
  next_resume_ = next_resume_ == LoggedPoint::kNoResume ? step : std::min(next_resume_, step);
}

// By the smallest gap that frees a quarter: as the absence lasts it grows, and the points lie ever wider, but evenly.
// Thinning looks at every point, so it pays only if many go. Where nearly all must stay (a job that logs NaN alone),
// the oldest go for a while.
void PointBuffer::MakeRoom() {
  if (max_points_ >= kLeastToThin && oldest_to_go_ == 0) {
    const size_t enough = max_points_ / 4;
    const auto finite = std::count_if(points_.begin(), points_.end(),
                                      [](const LoggedPoint& point) { return std::isfinite(point.value); });
    size_t thinned = 0;
    gap_ = std::max<int64_t>(2, gap_);
    while (static_cast<size_t>(finite) >= enough) {
      thinned += ThinPoints(points_, gap_);
      if (thinned >= enough || gap_ > kLargestStep) break;
      gap_ *= 2;
    }
    counts_.dropped += thinned;
    counts_.thinned += thinned;
    if (thinned < enough) oldest_to_go_ = enough;
  }
  if (points_.size() < max_points_) return;
  if (oldest_to_go_ > 0) --oldest_to_go_;
  DropOldest();
}

// A dropped point may have opened a life; the one behind it then does. If that opened one itself, the lower step
// counts: what lies between was dropped, so nothing at or past it is current. The first life is opened by no point: the
// daemon reads where it begins from the objective's first point, so if that is dropped, its step must be said.
void PointBuffer::DropOldest() {
  const LoggedPoint dropped = points_.front();
  points_.pop_front();
  ++counts_.dropped;
  const bool begins_unsaid = !begun_ && *dropped.metric == objective_ && dropped.resume_step == LoggedPoint::kNoResume;
  const int64_t resume = begins_unsaid ? dropped.step : dropped.resume_step;
  if (resume == LoggedPoint::kNoResume) return;
  int64_t& next = points_.front().resume_step;
  next = next == LoggedPoint::kNoResume ? resume : std::min(next, resume);
}

bool PointBuffer::BeginPhase(std::string_view name, double max_seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || !(max_seconds > 0)) return false;
  LoggedPhase phase{std::string(name.substr(0, kMaxNameBytes)), std::min(max_seconds, kLongestPhaseSeconds)};
  std::replace_if(
      phase.name.begin(), phase.name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  phase_ = std::move(phase);
  return true;
}

std::optional<LoggedPhase> PointBuffer::TakePhase() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!points_.empty()) return std::nullopt;
  return std::exchange(phase_, std::nullopt);
}

std::vector<LoggedPoint> PointBuffer::Take(size_t max_points, bool may_start_life) {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t count = 0;
  while (count < std::min(max_points, points_.size()) &&
         (points_[count].resume_step == LoggedPoint::kNoResume || (count == 0 && may_start_life))) {
    ++count;
  }
  const auto end = points_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<LoggedPoint> taken(points_.begin(), end);
  begun_ |= std::any_of(taken.begin(), taken.end(), [this](const LoggedPoint& point) {
    return *point.metric == objective_ || point.resume_step != LoggedPoint::kNoResume;
  });
  points_.erase(points_.begin(), end);
  if (points_.empty()) gap_ = 0;
  return taken;
}

size_t PointBuffer::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return points_.size();
}

bool PointBuffer::empty() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return points_.empty() && !phase_.has_value();
}

void PointBuffer::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

void PointBuffer::Discard() {
  const std::lock_guard<std::mutex> lock(mutex_);
  counts_.dropped += points_.size();
  points_.clear();
  phase_.reset();
}

PointBuffer::Counts PointBuffer::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

}  // namespace curvecast
