#include "daemon/store/sqlite_journal.h"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/base/crash_point.h"
#include "daemon/store/database_copy.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/journal_check.h"
#include "daemon/store/journal_schema.h"
#include "daemon/store/store_folder.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

// A missing file is a new store, unless what belongs to it is still there.
absl::Status CreateIfMissing(const std::string& file) {
  std::error_code error;
  if (fs::exists(file, error)) return absl::OkStatus();
  if (fs::exists(file + "-wal", error)) {
    return absl::DataLossError(fmt::format(
        "{0}: missing, but {0}-wal is there: bring the file back, or move that one away to start anew", file));
  }
  return CreateJournalFile(file);
}

absl::Status CheckNothingIsMissing(int64_t last_id, int64_t acknowledged, const std::string& file) {
  if (acknowledged <= last_id) return absl::OkStatus();
  return absl::DataLossError(fmt::format(
      "{0}: damaged: event {1} was acknowledged (journal.tip beside it says so) and the newest that can be read is "
      "{2}; "
      "{0}-wal is damaged or was taken away: run curvecastd --salvage, restore a copy, or remove journal.tip to go on "
      "without the events from {3} on",
      file, acknowledged, last_id, last_id + 1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::string& directory) {
  if (absl::Status status = MakeStoreFolder(directory); !status.ok()) return status;
  return Open(directory, Purpose::kServe);
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::OpenToLook(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(fs::path(directory) / "journal.db", error)) {
    return absl::NotFoundError(fmt::format("{}: there is no journal.db: name the folder of a store", directory));
  }
  return Open(directory, Purpose::kLook);
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::string& directory, Purpose purpose) {
  const std::string file = fs::path(directory) / "journal.db";
  absl::StatusOr<StoreLock> lock = StoreLock::Take(fs::path(directory) / "journal.lock");
  if (!lock.ok()) return lock.status();
  if (absl::Status status = CreateIfMissing(file); !status.ok()) return status;
  if (absl::Status status = CheckHead(file); !status.ok()) return status;

  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(file, SqliteDatabase::IfMissing::kFail);
  if (!database.ok()) return database.status();
  // What is refused stays as it is: the log of a damaged store may hold what can still be salvaged.
  database->WriteBackOnClose(false);
  if (absl::Status status = PrepareJournal(*database, file); !status.ok()) return status;
  if (absl::Status status = CheckStructure(*database, file); !status.ok()) return status;
  absl::StatusOr<int64_t> last_id = ReadTip(*database, file);
  if (!last_id.ok()) return last_id.status();
  absl::StatusOr<TipMark> mark = TipMark::Open(fs::path(directory) / "journal.tip");
  if (!mark.ok()) return mark.status();
  if (absl::Status status = CheckNothingIsMissing(*last_id, mark->acknowledged(), file); !status.ok()) return status;
  absl::StatusOr<Statements> statements = Prepare(*database);
  if (!statements.ok()) return statements.status();
  database->WriteBackOnClose(purpose == Purpose::kServe);
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(*std::move(lock), file, *std::move(database),
                                                          *std::move(statements), *std::move(mark), *last_id));
}

absl::StatusOr<SqliteJournal::Statements> SqliteJournal::Prepare(SqliteDatabase& database) {
  absl::Status status;
  auto prepare = [&](const char* sql) {
    absl::StatusOr<SqliteStatement> statement = database.Prepare(sql);
    status.Update(statement.status());
    return statement.ok() ? *std::move(statement) : SqliteStatement();
  };
  Statements statements{.begin = prepare("BEGIN IMMEDIATE"),
                        .commit = prepare("COMMIT"),
                        .rollback = prepare("ROLLBACK"),
                        .insert = prepare("INSERT INTO event(id, crc32, data) VALUES(?1, ?2, ?3)"),
                        .set_tip = prepare("UPDATE tip SET last_event = ?1 WHERE id = 1"),
                        .select = prepare("SELECT id, crc32, data FROM event WHERE id > ?1 ORDER BY id"),
                        .checksum = prepare("SELECT crc32 FROM event WHERE id = ?1")};
  if (!status.ok()) return status;
  return statements;
}

absl::Status SqliteJournal::Append(absl::Span<const Event> events) {
  CURVECAST_CHECK(!replaying_);
  if (events.empty()) return absl::OkStatus();
  std::lock_guard lock(mutex_);
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  if (absl::Status status = Insert(events); !status.ok()) return GiveUp(std::move(status));
  CrashPoint("before_commit");
  if (absl::Status status = statements_.commit.Run(); !status.ok()) {
    status = GiveUp(std::move(status));
    Retract();
    return status;
  }
  CrashPoint("committed");
  last_id_ += static_cast<int64_t>(events.size());
  mark_.Set(last_id_);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Insert(absl::Span<const Event> events) {
  int64_t id = last_id_;
  for (const Event& event : events) {
    const std::string bytes = EncodeEvent(event);
    ++id;
    statements_.insert.Bind(1, id);
    statements_.insert.Bind(2, RowChecksum(id, bytes));
    statements_.insert.Bind(3, bytes);
    if (absl::Status status = statements_.insert.Run(); !status.ok()) return status;
  }
  return SetTip(id);
}

absl::Status SqliteJournal::SetTip(int64_t last_id) {
  statements_.set_tip.Bind(1, last_id);
  return statements_.set_tip.Run();
}

absl::Status SqliteJournal::GiveUp(absl::Status why) {
  // SQLite has rolled back by itself after some errors.
  if (database_.InTransaction()) {
    if (absl::Status status = statements_.rollback.Run(); !status.ok()) return status;
  }
  return why;
}

void SqliteJournal::Retract() {
  // SQLite writes no page whose bytes stay the same: change the tip, and change it back.
  if (!statements_.begin.Run().ok()) return;
  if (SetTip(last_id_ + 1).ok() && SetTip(last_id_).ok() && statements_.commit.Run().ok()) return;
  GiveUp(absl::OkStatus()).IgnoreError();
}

absl::Status SqliteJournal::Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) {
  CURVECAST_CHECK(!replaying_);
  std::lock_guard lock(mutex_);
  replaying_ = true;
  statements_.select.Bind(1, after);
  absl::Status status;
  int64_t id = after;
  while (status.ok()) {
    absl::StatusOr<SqliteStatement::Row> row = statements_.select.Step();
    status = row.status();
    if (!status.ok() || *row == SqliteStatement::Row::kDone) break;
    absl::StatusOr<Event> event = ReadRow(++id);
    status = event.ok() ? visit(*std::move(event)) : event.status();
  }
  statements_.select.Reset();
  replaying_ = false;
  if (status.ok() && id != last_id_) {
    return absl::DataLossError(fmt::format(
        "{}: damaged: it ends with event {} and not with event {}: restore it from a copy", file_, id, last_id_));
  }
  return status;
}

absl::StatusOr<JournalMark> SqliteJournal::Newest() {
  std::lock_guard lock(mutex_);
  return MarkOf(last_id_);
}

bool SqliteJournal::Has(const JournalMark& mark) {
  std::lock_guard lock(mutex_);
  const absl::StatusOr<JournalMark> found = MarkOf(mark.id);
  return found.ok() && *found == mark;
}

absl::StatusOr<JournalMark> SqliteJournal::MarkOf(int64_t id) {
  if (id == 0) return JournalMark{};
  statements_.checksum.Bind(1, id);
  const absl::StatusOr<SqliteStatement::Row> row = statements_.checksum.Step();
  const bool found = row.ok() && *row == SqliteStatement::Row::kSome && statements_.checksum.IsInteger(0);
  const JournalMark mark{id, found ? static_cast<uint64_t>(statements_.checksum.Integer(0)) : 0};
  statements_.checksum.Reset();
  if (!row.ok()) return row.status();
  if (found) return mark;
  return absl::DataLossError(fmt::format("{}: damaged: row {} of table event: missing", file_, id));
}

absl::Status SqliteJournal::BackUp(const std::string& directory) {
  if (absl::Status status = MakeStoreFolder(directory); !status.ok()) return status;
  const std::string file = fs::path(directory) / "journal.db";
  std::error_code error;
  for (const std::string& taken : {file, file + "-wal"}) {
    if (fs::exists(taken, error)) {
      return absl::AlreadyExistsError(fmt::format("{}: is there already: back up into another folder", taken));
    }
  }
  return MakeWhole(file, [&](const std::string& unfinished) {
    return CopyDatabase(database_, mutex_, backups_cancelled_, unfinished);
  });
}

absl::StatusOr<Event> SqliteJournal::ReadRow(int64_t expected_id) const {
  const SqliteStatement& row = statements_.select;
  auto damaged = [&](std::string_view why) {
    return absl::DataLossError(
        fmt::format("{}: damaged: row {} of table event: {}: restore it from a copy", file_, expected_id, why));
  };
  if (!row.IsInteger(0) || row.Integer(0) != expected_id) return damaged("missing");
  if (!row.IsInteger(1) || !row.IsBlob(2)) return damaged("of other types than were written");
  const std::string_view bytes = row.Bytes(2);
  if (row.Integer(1) != RowChecksum(expected_id, bytes)) return damaged("its checksum does not fit its bytes");
  absl::StatusOr<Event> event = DecodeEvent(bytes);
  if (!event.ok()) return damaged(std::string(event.status().message()));
  return event;
}

}  // namespace curvecast
