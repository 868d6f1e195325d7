#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/ports/compactable_journal.h"
#include "daemon/store/journal_schema.h"
#include "daemon/store/sqlite_handle.h"
#include "daemon/store/store_lock.h"
#include "daemon/store/tip_mark.h"

namespace curvecast {

// The journal in one SQLite file, `journal.db` in a folder of its own. README.md has the format and its limits.
// One thread at a time, but for BackUp and what CompactableJournal allows; not necessarily the one that opened it.
class SqliteJournal : public CompactableJournal {
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
  // Checks of the events up to `after` only that none is lost; it does not read them.
  absl::Status Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) override;
  absl::StatusOr<JournalMark> Newest() override;
  bool Has(const JournalMark& mark) override;

  absl::StatusOr<std::vector<StoredEvent>> Read(int64_t from_id, size_t max_bytes) override;
  absl::Status Replace(const Replacement& replacement) override;
  absl::StatusOr<JournalSize> Size() override;

  // How many events there are up to this id.
  absl::StatusOr<int64_t> EventsUpTo(int64_t id);

  int64_t version() const { return version_; }
  // The version that the file had, if Open has brought it to a newer one.
  std::optional<int64_t> migrated_from() const { return migrated_from_; }

  // Copies the journal as it is into a new store in `directory`, a folder that holds none. From any thread, while
  // another appends: it holds that one up for a megabyte at a time. What is appended meanwhile may be in it or not.
  // ALREADY_EXISTS: there is a store. Otherwise as Open.
  absl::Status BackUp(const std::string& directory);
  // A backup that is under way ends soon, with CANCELLED and without a store, and so does any later one. Any thread.
  void CancelBackUps() { backups_cancelled_ = true; }

 private:
  struct Statements {
    SqliteStatement begin, commit, rollback, insert, set_tip, select, select_from, remove, checksum, sum_up;
  };
  SqliteJournal(StoreLock lock, std::string file, SqliteDatabase database, Statements statements, TipMark mark,
                int64_t version, JournalTip tip)
      : lock_(std::move(lock)),
        file_(std::move(file)),
        database_(std::move(database)),
        statements_(std::move(statements)),
        mark_(std::move(mark)),
        version_(version),
        tip_(tip) {}

  enum class Purpose { kServe, kLook };
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::string& directory, Purpose purpose);
  static absl::StatusOr<Statements> Prepare(SqliteDatabase& database, int64_t version);
  absl::Status Insert(absl::Span<const Event> events, JournalTip& tip);
  absl::Status InsertRow(int64_t id, const Event& event, JournalTip& tip);
  absl::Status RemoveRow(int64_t id, JournalTip& tip);
  absl::Status SetTip(const JournalTip& tip);
  // Ends the transaction, if it is still open, and hands `why` on.
  absl::Status GiveUp(absl::Status why);
  // After a COMMIT that failed. It may have reached the disk and only its sync have failed, so that a restart would
  // find events that were refused: a commit without content takes its place in the log. If the disk refuses that too,
  // such events may come back, and a resend of them is counted once.
  void Retract();
  absl::StatusOr<JournalMark> MarkOf(int64_t id);
  // How many events there are up to this one, and the sum of their checksums. Reads neither their bytes nor their ids.
  absl::StatusOr<JournalTip> SumUpTo(int64_t id);
  absl::StatusOr<Event> ReadRow(int64_t id) const;
  absl::StatusOr<Event> DecodeRow(int64_t id, int64_t checksum, std::string_view bytes) const;
  // Which rows are lost behind this one, once it is known that the gaps are not those that compaction left.
  absl::Status NameLostRows(int64_t after);
  absl::Status Damaged(const std::string& what) const;

  std::atomic<bool> backups_cancelled_{false};
  std::mutex mutex_;      // Held by whoever uses the connection: the owner's thread, or a backup for a moment.
  const StoreLock lock_;  // Let go of last.
  const std::string file_;
  SqliteDatabase database_;
  Statements statements_;
  TipMark mark_;
  const int64_t version_;
  JournalTip tip_;  // Of what is on disk.
  std::optional<int64_t> migrated_from_;
  bool replaying_ = false;
};

}  // namespace curvecast
