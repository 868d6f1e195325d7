#include "daemon/store/database_copy.h"

#include <chrono>
#include <thread>
#include <utility>

#include "core/base/crash_point.h"

namespace curvecast {
namespace {

constexpr int kPagesAStep = 256;
constexpr std::chrono::milliseconds kPause{1};  // So that whoever waits for the mutex gets it.

}  // namespace

// SQLite's online backup over one pair of connections.
class DatabaseCopy {
 public:
  DatabaseCopy(SqliteDatabase& source, std::mutex& mutex, SqliteDatabase target)
      : mutex_(mutex), target_(std::move(target)) {
    std::lock_guard lock(mutex_);
    backup_ = sqlite3_backup_init(target_.database_.get(), "main", source.database_.get(), "main");
  }
  ~DatabaseCopy() { Finish().IgnoreError(); }
  DatabaseCopy(const DatabaseCopy&) = delete;
  DatabaseCopy& operator=(const DatabaseCopy&) = delete;

  absl::Status Run(const std::atomic<bool>& cancelled) {
    while (backup_ != nullptr) {
      if (cancelled) return absl::CancelledError("no backup: the daemon is stopping; ask again, it needs none");
      CrashPoint("backup");
      {
        std::lock_guard lock(mutex_);
        const int code = sqlite3_backup_step(backup_, kPagesAStep);
        if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) break;
      }
      std::this_thread::sleep_for(kPause);
    }
    return Finish();
  }

 private:
  absl::Status Finish() {
    std::lock_guard lock(mutex_);
    if (backup_ != nullptr) sqlite3_backup_finish(std::exchange(backup_, nullptr));
    return target_.LastError();
  }

  std::mutex& mutex_;
  SqliteDatabase target_;
  sqlite3_backup* backup_ = nullptr;
};

absl::Status CopyDatabase(SqliteDatabase& source, std::mutex& mutex, const std::atomic<bool>& cancelled,
                          const std::string& file) {
  absl::StatusOr<SqliteDatabase> target = SqliteDatabase::Open(file, SqliteDatabase::IfMissing::kCreate);
  if (!target.ok()) return target.status();
  if (absl::Status status = target->Execute("PRAGMA synchronous=FULL"); !status.ok()) return status;
  return DatabaseCopy(source, mutex, *std::move(target)).Run(cancelled);
}

}  // namespace curvecast
