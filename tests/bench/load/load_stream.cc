#include "tests/bench/load/load_stream.h"

#include <algorithm>
#include <array>
#include <utility>

namespace curvecast {
namespace {

constexpr double kPeakRate = 1e-3;
constexpr int64_t kWarmupSteps = 1000;

v1::PushRequest OpenOf(const LoadStream::Options& options, const std::string& run_id, uint32_t channel) {
  v1::PushRequest request;
  request.set_channel(channel);
  v1::Open& open = *request.mutable_open();
  open.set_incarnation(options.incarnation);
  v1::Run& run = *open.mutable_run();
  run.set_project("load");
  run.set_run_id(run_id);
  run.set_total_steps(options.total_steps);
  run.mutable_schedule()->set_peak_lr(kPeakRate);
  run.mutable_schedule()->set_warmup_steps(kWarmupSteps);
  run.mutable_schedule()->set_decay(v1::Schedule::COSINE);
  return request;
}

// What a job logs beside its loss: a norm and a rate, which are watched too, and what nobody watches.
std::string MetricName(int m) {
  constexpr std::array<const char*, 3> kNames = {"train/loss", "train/grad_norm", "lr"};
  return m < static_cast<int>(kNames.size()) ? kNames[static_cast<size_t>(m)] : "gpu/counter" + std::to_string(m);
}

// In [0, 1), the same for the same step: SplitMix64's finish.
double NoiseAt(int64_t step) {
  auto x = static_cast<uint64_t>(step) * 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

// A power law with noise of 1.4 %, as a job has it: what comes back again and again would be a flag's business.
double ValueAt(int m, int64_t step) {
  if (m == 2) return kPeakRate * std::min(1.0, static_cast<double>(step) / kWarmupSteps);  // As declared, so early.
  return 2.0 + 100.0 / static_cast<double>(step + 50) + 0.1 * NoiseAt(step);
}

}  // namespace

LoadStream::LoadStream(Options options) : options_(std::move(options)), waiting_(options_.run_ids.size()) {
  for (const std::string& run_id : options_.run_ids) runs_.push_back({.run_id = run_id});
  for (int m = 0; m < options_.metrics; ++m) {
    v1::Points& points = *batch_.mutable_batch()->add_points();
    points.set_metric(MetricName(m));
    points.mutable_step()->Resize(options_.points_per_batch / options_.metrics, 0);
    points.mutable_value()->Resize(options_.points_per_batch / options_.metrics, 0);
  }
}

void LoadStream::Start() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // A connection of its own, as a job has.
  stub_ = v1::IngestService::NewStub(options_.endpoint.Connect(arguments));
  context_.set_wait_for_ready(true);
  stub_->async()->Push(&context_, this);
  {
    std::lock_guard lock(mutex_);
    SendNext();
  }
  StartRead(&response_);
  StartCall();
}

bool LoadStream::WaitUntilOpen() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_ || opened_ == runs_.size(); });
  return !done_;
}

void LoadStream::Go() {
  std::lock_guard lock(mutex_);
  going_ = true;
  SendNext();
}

void LoadStream::Offer(Clock::time_point due) {
  std::lock_guard lock(mutex_);
  offered_.push_back(due);
  SendNext();
}

void LoadStream::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  SendNext();
}

grpc::Status LoadStream::WaitUntilDone(std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, timeout, [this] { return done_; })) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED, "the daemon does not acknowledge what was sent"};
  }
  return status_;
}

void LoadStream::Cancel() {
  context_.TryCancel();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_; });
}

uint64_t LoadStream::acknowledged_batches() {
  std::lock_guard lock(mutex_);
  return acknowledged_;
}

void LoadStream::SendNext() {
  if (writing_ || done_ || writes_done_) return;
  if (opens_sent_ < runs_.size()) return WriteOpen();
  if (stopping_) {
    if (unacknowledged_ > 0) return;
    writes_done_ = true;
    StartWritesDone();
    return;
  }
  if (!going_ || unacknowledged_ >= options_.window) return;
  if (!options_.paced) return WriteBatch(Clock::now());
  if (offered_.empty()) return;
  const Clock::time_point due = offered_.front();
  offered_.pop_front();
  WriteBatch(due);
}

void LoadStream::WriteOpen() {
  writing_ = true;
  open_ = OpenOf(options_, runs_[opens_sent_].run_id, static_cast<uint32_t>(opens_sent_));
  ++opens_sent_;
  StartWrite(&open_);
}

void LoadStream::WriteBatch(Clock::time_point since) {
  writing_ = true;
  const size_t channel = next_run_;
  next_run_ = (next_run_ + 1) % runs_.size();
  const uint64_t sequence = ++runs_[channel].sent;
  batch_.set_channel(static_cast<uint32_t>(channel));
  batch_.mutable_batch()->set_sequence(sequence);
  const int steps = options_.points_per_batch / options_.metrics;
  const int64_t first = options_.first_step + static_cast<int64_t>(sequence - 1) * steps;
  for (int m = 0; m < options_.metrics; ++m) {
    v1::Points& points = *batch_.mutable_batch()->mutable_points(m);
    for (int i = 0; i < steps; ++i) {
      points.set_step(i, first + i);
      points.set_value(i, ValueAt(m, first + i));
    }
  }
  waiting_[channel].push_back({sequence, since});
  ++unacknowledged_;
  StartWrite(&batch_);
}

void LoadStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) SendNext();
}

void LoadStream::OnReadDone(bool ok) {
  if (!ok) return;  // OnDone says why.
  {
    std::lock_guard lock(mutex_);
    if (response_.has_opened()) ++opened_;
    if (response_.has_ack()) Acknowledge(response_.channel(), response_.ack().sequence());
    if (response_.has_rejected()) {
      refusal_ = response_.rejected().message();
      context_.TryCancel();
    }
    SendNext();
    changed_.notify_all();
  }
  StartRead(&response_);
}

void LoadStream::Acknowledge(uint32_t channel, uint64_t sequence) {
  const Clock::time_point now = Clock::now();
  std::deque<Waiting>& waiting = waiting_[channel];
  while (!waiting.empty() && waiting.front().sequence <= sequence) {
    const auto after = std::chrono::duration_cast<std::chrono::microseconds>(now - waiting.front().since);
    acknowledged_after_.push_back(static_cast<uint32_t>(after.count()));
    waiting.pop_front();
    --unacknowledged_;
    ++acknowledged_;
  }
  runs_[channel].acknowledged = sequence;
}

void LoadStream::OnDone(const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  done_ = true;
  status_ = status;
  changed_.notify_all();
}

}  // namespace curvecast
