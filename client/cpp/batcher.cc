#include "client/cpp/batcher.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace curvecast {
namespace {

// Columns per metric, in the order in which the metrics appear.
v1::Batch ToBatch(const std::vector<LoggedPoint>& points) {
  v1::Batch batch;
  v1::Points* column = nullptr;
  for (const LoggedPoint& point : points) {
    if (column == nullptr || column->metric() != *point.metric) {
      const auto found = std::find_if(batch.mutable_points()->begin(), batch.mutable_points()->end(),
                                      [&](const v1::Points& p) { return p.metric() == *point.metric; });
      column = found != batch.mutable_points()->end() ? &*found : batch.add_points();
      column->set_metric(*point.metric);
    }
    column->add_step(point.step);
    column->add_value(point.value);
  }
  return batch;
}

}  // namespace

Batcher::Batcher(uint64_t first_incarnation, std::optional<int64_t> resume_step, Limits limits)
    : limits_{std::clamp<size_t>(limits.max_points_per_batch, 1, kMaxPointsPerBatch), limits.max_unsettled_batches},
      incarnation_(first_incarnation),
      resume_step_(resume_step) {}

void Batcher::Queue(Pending pending) {
  pending.batch.set_sequence(next_sequence_++);
  pending.sent = false;
  pending_.push_back(std::move(pending));
}

bool Batcher::BeginLifeIfTold(const LoggedPoint& first) {
  const int64_t resume = first.resume_step;
  if (resume == LoggedPoint::kNoResume) return false;
  ++incarnation_;
  // A life that had no points has rewound nothing, and leaves that to this one.
  resume_step_ = life_has_points_ ? resume : std::min(resume, resume_step_.value_or(resume));
  next_sequence_ = 1;
  life_has_points_ = false;
  return true;
}

bool Batcher::Fill(PointBuffer& buffer) {
  bool new_life = false;
  while (pending_.size() < limits_.max_unsettled_batches) {
    const std::vector<LoggedPoint> points = buffer.Take(limits_.max_points_per_batch, settled());
    const std::optional<LoggedPhase> phase = buffer.TakePhase();
    if (points.empty() && !phase.has_value()) break;
    if (!points.empty()) new_life |= BeginLifeIfTold(points.front());
    Pending pending;
    pending.batch = ToBatch(points);
    if (phase.has_value()) {
      pending.batch.mutable_phase()->set_name(phase->name);
      pending.batch.mutable_phase()->set_max_seconds(phase->max_seconds);
    }
    pending.points = points.size();
    life_has_points_ |= !points.empty();
    Queue(std::move(pending));
  }
  return new_life;
}

void Batcher::QueueEnd(v1::Run::State state) {
  Pending pending;
  pending.batch.mutable_end()->set_state(state);
  Queue(std::move(pending));
}

const v1::Batch* Batcher::NextToSend() {
  const auto next = std::find_if(pending_.begin(), pending_.end(), [](const Pending& p) { return !p.sent; });
  if (next == pending_.end()) return nullptr;
  next->sent = true;
  return &next->batch;
}

void Batcher::ForgetSent() {
  for (Pending& pending : pending_) pending.sent = false;
}

size_t Batcher::SettleThrough(uint64_t sequence) {
  size_t points = 0;
  while (!pending_.empty() && pending_.front().batch.sequence() <= sequence) {
    points += pending_.front().points;
    end_acknowledged_ |= pending_.front().batch.has_end();
    pending_.pop_front();
  }
  return points;
}

size_t Batcher::Opened(uint64_t expected_sequence) {
  // Below what was sent before: the daemon lost it in a way that its promise excludes. Gaps are allowed, so just go on.
  next_sequence_ = std::max(next_sequence_, expected_sequence);
  return expected_sequence == 0 ? 0 : SettleThrough(expected_sequence - 1);
}

size_t Batcher::Acknowledged(uint64_t sequence) { return SettleThrough(sequence); }

size_t Batcher::Refused(uint64_t sequence) {
  const auto it =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.batch.sequence() == sequence; });
  if (it == pending_.end()) return 0;
  const size_t points = it->points;
  pending_.erase(it);
  return points;
}

size_t Batcher::GiveUp() {
  size_t points = 0;
  for (const Pending& pending : pending_) points += pending.points;
  pending_.clear();
  return points;
}

}  // namespace curvecast
