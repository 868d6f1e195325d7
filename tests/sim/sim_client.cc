#include "tests/sim/sim_client.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace curvecast {

void SimClient::Act(int64_t now) {
  if (refused_) return;
  switch (random_() % 16) {
    case 0:  // It reconnects; what the old stream holds may still arrive.
      Connect(now);
      break;
    case 1:
      if (random_() % 4 == 0) DieAndResume();
      break;
    case 2:  // Sends again what is safe, or not.
      if (open_) next_ = next_ > 3 ? next_ - 1 - random_() % 3 : 1;
      break;
    case 3:  // A stall.
    case 4:
      break;
    default:
      if (stream_ == nullptr) Connect(now);
      if (!over_ && random_() % 2 == 0) MakeBatch(now);
      SendNext();
  }
}

void SimClient::SendAll(int64_t now) {
  if (refused_) return;
  if (stream_ == nullptr) Connect(now);
  while (open_ && next_ <= batches_.size()) SendNext();
}

void SimClient::LoseStream() {
  stream_ = nullptr;
  open_ = false;
}

void SimClient::Connect(int64_t now) {
  stream_ = std::make_shared<SimStream>();
  open_ = false;
  RunOpened opened;
  opened.spec.key = key_;
  opened.spec.total_steps = 400;
  Normalize(opened.spec);
  opened.writer = writer_;
  opened.incarnation = incarnation_;
  opened.resume_step = resume_step_;
  stream_->sent.push_back({now, key_, std::move(opened)});
}

void SimClient::MakeBatch(int64_t now) {
  BatchAppended batch;
  batch.writer = writer_;
  batch.incarnation = incarnation_;
  batch.sequence = batches_.size() + 1;
  // Rank 0 writes the objective and some more than the daemon takes; the others each a metric of their own.
  std::vector<std::string> metrics = {writer_.empty() ? "train/loss" : writer_ + "/loss"};
  if (writer_.empty() && random_() % 3 == 0) metrics.push_back("extra" + std::to_string(random_() % 4));
  const int points = std::min<int>(points_left_, static_cast<int>(random_() % 5));
  for (const std::string& metric : metrics) {
    Column column{metric, {}, {}};
    for (int i = 0; i < points; ++i) {
      column.steps.push_back(step_ + i);
      const bool non_finite = non_finite_left_ > 0 && random_() % 12 == 0;
      if (non_finite) --non_finite_left_;
      column.values.push_back(non_finite ? std::numeric_limits<double>::quiet_NaN()
                                         : 2 + static_cast<double>(random_() % 1000) / 1000);
    }
    // Points come in any order within a batch.
    if (points > 1 && random_() % 3 == 0) {
      std::swap(column.steps.front(), column.steps.back());
      std::swap(column.values.front(), column.values.back());
    }
    if (points > 0) batch.columns.push_back(std::move(column));
  }
  step_ += points;
  points_left_ -= points;
  if (random_() % 40 == 0) {
    batch.end = random_() % 2 == 0 ? RunState::kCompleted : RunState::kFailed;
    over_ = true;
  }
  batches_.push_back({now, key_, std::move(batch)});
}

void SimClient::SendNext() {
  if (!open_ || next_ > batches_.size()) return;
  stream_->sent.push_back(batches_[next_ - 1]);
  ++next_;
}

// As after a crash of the job: a checkpoint is loaded, and what was not acknowledged is lost with the process.
void SimClient::DieAndResume() {
  ++incarnation_;
  step_ = step_ == 0 ? 0 : static_cast<Step>(random_() % static_cast<uint64_t>(step_));
  resume_step_.reset();
  if (random_() % 2 == 0) resume_step_ = step_;
  batches_.clear();
  acknowledged_ = 0;
  next_ = 1;
  over_ = false;
  stream_ = nullptr;
  open_ = false;
}

bool SimClient::TakeOpened(const SimStream* stream, uint64_t expected, bool evicted) {
  if (stream != stream_.get()) return true;
  open_ = true;
  if (evicted && expected <= acknowledged_) {  // Another run of that name, which what is safe does not belong to.
    next_ = acknowledged_ + 1;
    return true;
  }
  next_ = expected;
  const bool kept = expected > acknowledged_ && expected <= batches_.size() + 1;
  if (kept) TakeAck(stream, expected - 1);  // All below are on disk.
  return kept;
}

void SimClient::TakeAck(const SimStream* stream, uint64_t sequence) {
  if (stream != stream_.get()) return;
  acknowledged_ = std::max(acknowledged_, sequence);
  promised_[incarnation_] = acknowledged_;
}

void SimClient::TakeRejected(const SimStream* stream, const absl::Status& status) {
  if (stream != stream_.get()) return;
  refused_ |= absl::IsResourceExhausted(status);
  if (absl::IsFailedPrecondition(status)) LoseStream();  // The next open tells whether that is for good.
}

}  // namespace curvecast
