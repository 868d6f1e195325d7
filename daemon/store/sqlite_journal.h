#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "core/ports/journal.h"
#include "daemon/store/sqlite_handle.h"
#include "daemon/store/store_lock.h"
#include "daemon/store/tip_mark.h"

namespace curvecast {

// The journal in one SQLite file, `journal.db` in a folder of its own. README.md has the format and its limits.
// One thread at a time, but for BackUp; not necessarily the one that opened it.
class SqliteJournal : public Journal {
 public:
  // Creates the folder and the file if they are not there.
  //
  // UNAVAILABLE: another process has it open (named). PERMISSION_DENIED: the folder or file cannot be written.
  // FAILED_PRECONDITION: the file is another program's, or of a newer curvecast. DATA_LOSS: it is damaged.
  // RESOURCE_EXHAUSTED: no room for a new one. The message says what to do. A store that is refused is left as it was.
  //
  // Reads the whole file once, to see that it is in order: README.md says what that costs.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::string& directory);

  // To look at a store without changing it: it must be there, and its log is not written back in the end. For Replay.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> OpenToLook(const std::string& directory);

  absl::Status Append(absl::Span<const Event> events) override;
  using Journal::Replay;
  // Reads, and checks, those rows alone.
  absl::Status Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) override;
  absl::StatusOr<JournalMark> Newest() override;
  bool Has(const JournalMark& mark) override;

  // Copies the journal as it is into a new store in `directory`, a folder that holds none. From any thread, while
  // another appends: it holds that one up for a megabyte at a time. What is appended meanwhile may be in it or not.
  // ALREADY_EXISTS: there is a store. Otherwise as Open.
  absl::Status BackUp(const std::string& directory);
  // A backup that is under way ends soon, with CANCELLED and without a store, and so does any later one. Any thread.
  void CancelBackUps() { backups_cancelled_ = true; }

 private:
  struct Statements {
    SqliteStatement begin, commit, rollback, insert, set_tip, select, checksum;
  };
  SqliteJournal(StoreLock lock, std::string file, SqliteDatabase database, Statements statements, TipMark mark,
                int64_t last_id)
      : lock_(std::move(lock)),
        file_(std::move(file)),
        database_(std::move(database)),
        statements_(std::move(statements)),
        mark_(std::move(mark)),
        last_id_(last_id) {}

  enum class Purpose { kServe, kLook };
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::string& directory, Purpose purpose);
  static absl::StatusOr<Statements> Prepare(SqliteDatabase& database);
  absl::Status Insert(absl::Span<const Event> events);
  absl::Status SetTip(int64_t last_id);
  // Ends the transaction, if it is still open, and hands `why` on.
  absl::Status GiveUp(absl::Status why);
  // After a COMMIT that failed. It may have reached the disk and only its sync have failed, so that a restart would
  // find events that were refused: a commit without content takes its place in the log. If the disk refuses that too,
  // such events may come back, and a resend of them is counted once.
  void Retract();
  absl::StatusOr<JournalMark> MarkOf(int64_t id);
  absl::StatusOr<Event> ReadRow(int64_t expected_id) const;

  std::atomic<bool> backups_cancelled_{false};
  std::mutex mutex_;      // Held by whoever uses the connection: the owner's thread, or a backup for a moment.
  const StoreLock lock_;  // Let go of last.
  const std::string file_;
  SqliteDatabase database_;
  Statements statements_;
  TipMark mark_;
  int64_t last_id_;  // Of the newest event on disk; 0 if there is none.
  bool replaying_ = false;
};

}  // namespace curvecast
