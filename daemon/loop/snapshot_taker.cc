#include "daemon/loop/snapshot_taker.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

namespace curvecast {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20U;
constexpr size_t kMostWaiting = 8 * kPieceBytes;  // For the disk. Then no piece is taken but those of what changes.
constexpr std::chrono::milliseconds kDiskPause{5};

}  // namespace

// Pieces go in on the engine's thread, and are written on this one's.
class SnapshotTaker::Writer {
 public:
  Writer(SnapshotStore& store, SnapshotOf of) : store_(store), of_(std::move(of)), thread_([this] { Work(); }) {}
  ~Writer() {
    {
      std::lock_guard lock(mutex_);
      given_up_ = true;
    }
    news_.notify_all();
    thread_.join();
  }

  void Add(std::string piece) {
    {
      std::lock_guard lock(mutex_);
      waiting_ += piece.size();
      pieces_.push_back(std::move(piece));
    }
    news_.notify_all();
  }
  void Complete() {
    {
      std::lock_guard lock(mutex_);
      complete_ = true;
    }
    news_.notify_all();
  }
  bool full() const {
    std::lock_guard lock(mutex_);
    return waiting_ >= kMostWaiting;
  }
  // How it ended, once it has.
  std::optional<absl::Status> result() const {
    std::lock_guard lock(mutex_);
    return result_;
  }

 private:
  void Work() {
    const absl::Status status = WriteAll();
    std::lock_guard lock(mutex_);
    result_ = status;
  }
  absl::Status WriteAll() {
    absl::StatusOr<std::unique_ptr<SnapshotStore::Writing>> writing = store_.Write(of_);
    if (!writing.ok()) return writing.status();
    while (true) {
      std::string piece;
      {
        std::unique_lock lock(mutex_);
        news_.wait(lock, [this] { return given_up_ || complete_ || !pieces_.empty(); });
        if (given_up_) return absl::CancelledError("given up");
        if (pieces_.empty()) break;
        piece = std::move(pieces_.front());
        pieces_.pop_front();
        waiting_ -= piece.size();
      }
      if (absl::Status status = (*writing)->Add(piece); !status.ok()) return status;
    }
    return (*writing)->Finish();
  }

  SnapshotStore& store_;
  const SnapshotOf of_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::string> pieces_;
  size_t waiting_ = 0;  // Bytes.
  bool complete_ = false, given_up_ = false;
  std::optional<absl::Status> result_;
  std::thread thread_;  // Last: it uses the others.
};

SnapshotTaker::SnapshotTaker(Options options, Parts parts) : options_(options), parts_(std::move(parts)) {}

SnapshotTaker::~SnapshotTaker() = default;

void SnapshotTaker::Folded(const Event& event) {
  ++tail_.events;
  const auto* batch = std::get_if<BatchAppended>(&event.body);
  if (batch == nullptr) return;
  for (const Column& column : batch->columns) tail_.points += static_cast<int64_t>(column.steps.size());
}

void SnapshotTaker::Step() {
  if (parts_.store == nullptr) return;
  if (writer_ != nullptr) {
    if (const std::optional<absl::Status> result = writer_->result()) return Ended(*result);
    if (!saved_all_ && !writer_->full()) SavePiece();
    return;
  }
  if (!IsDue()) return;
  absl::StatusOr<SnapshotOf> of = Begin();
  if (!of.ok()) return Ended(of.status());
  writer_ = std::make_unique<Writer>(*parts_.store, *std::move(of));
}

bool SnapshotTaker::IsDue() {
  const int64_t now = parts_.clock.MonotonicMicros();
  if (now < rests_until_) return false;
  if (tail_.events >= options_.after_events || tail_.points >= options_.after_points) return true;
  if (now < look_at_) return false;
  look_at_ = now + kLookMicros;
  return !IsOfUse();
}

bool SnapshotTaker::IsOfUse() { return !newest_ || parts_.journal.Has(*newest_); }

std::chrono::milliseconds SnapshotTaker::NextWait() const {
  if (writer_ == nullptr) return std::chrono::milliseconds::max();
  return saved_all_ || writer_->full() ? kDiskPause : std::chrono::milliseconds(0);
}

absl::StatusOr<SnapshotOf> SnapshotTaker::Begin() {
  began_at_ = parts_.clock.MonotonicMicros();
  before_ = std::exchange(tail_, {});
  saved_all_ = false;
  const absl::StatusOr<JournalMark> newest = parts_.journal.Newest();
  if (!newest.ok()) return newest.status();
  begun_ = *newest;
  parts_.engine.BeginSave();
  return SnapshotOf{*newest, parts_.engine.settings()};
}

void SnapshotTaker::SavePiece() {
  const int64_t start = parts_.clock.MonotonicMicros();
  std::string piece;
  saved_all_ = parts_.engine.Save(kPieceBytes, piece);
  if (!piece.empty()) writer_->Add(std::move(piece));
  if (saved_all_) writer_->Complete();
  parts_.metrics.snapshot_piece_seconds.Observe(static_cast<double>(parts_.clock.MonotonicMicros() - start) * 1e-6);
}

void SnapshotTaker::Ended(const absl::Status& status) {
  const int64_t now = parts_.clock.MonotonicMicros();
  rests_until_ = now + kRest * (now - began_at_);
  writer_ = nullptr;
  parts_.engine.EndSave();
  if (status.ok()) {
    newest_ = begun_;
    parts_.metrics.snapshots.Increment();
    return;
  }
  tail_.events += before_.events;
  tail_.points += before_.points;
  rests_until_ = now + kRestAfterFailureMicros;
  parts_.metrics.snapshot_failures.Increment();
  parts_.on_failure(status);
}

void SnapshotTaker::TakeLast() {
  if (parts_.store == nullptr) return;
  if (writer_ != nullptr) {
    writer_ = nullptr;  // It is of an earlier event.
    tail_.events += before_.events;
  }
  if (tail_.events == 0 && IsOfUse()) return;
  const auto take = [this] {
    absl::StatusOr<SnapshotOf> of = Begin();
    if (!of.ok()) return of.status();
    absl::StatusOr<std::unique_ptr<SnapshotStore::Writing>> writing = parts_.store->Write(*of);
    if (!writing.ok()) return writing.status();
    while (!saved_all_) {
      std::string piece;
      saved_all_ = parts_.engine.Save(kPieceBytes, piece);
      if (piece.empty()) continue;
      if (absl::Status status = (*writing)->Add(piece); !status.ok()) return status;
    }
    return (*writing)->Finish();
  };
  Ended(take());
}

}  // namespace curvecast
