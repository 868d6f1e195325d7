#include "daemon/store/sqlite_journal.h"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/base/crash_point.h"
#include "daemon/store/database_copy.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/gap_ledger.h"
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
  absl::StatusOr<int64_t> version = PrepareJournal(*database, file);
  if (!version.ok()) return version.status();
  if (absl::Status status = CheckStructure(*database, file, *version); !status.ok()) return status;
  absl::StatusOr<JournalTip> tip = ReadTip(*database, file, *version);
  if (!tip.ok()) return tip.status();
  absl::StatusOr<TipMark> mark = TipMark::Open(fs::path(directory) / "journal.tip");
  if (!mark.ok()) return mark.status();
  if (absl::Status status = CheckNothingIsMissing(tip->last_id, mark->acknowledged(), file); !status.ok())
    return status;
  std::optional<int64_t> migrated_from;
  if (purpose == Purpose::kServe && *version < kJournalVersion) {
    tip = MigrateJournal(*database, tip->last_id);
    if (!tip.ok()) return tip.status();
    migrated_from = std::exchange(*version, kJournalVersion);
  }
  absl::StatusOr<Statements> statements = Prepare(*database, *version);
  if (!statements.ok()) return statements.status();
  database->WriteBackOnClose(purpose == Purpose::kServe);
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(*std::move(lock), file, *std::move(database),
                                                           *std::move(statements), *std::move(mark), *version, *tip));
  journal->migrated_from_ = migrated_from;
  return journal;
}

absl::StatusOr<SqliteJournal::Statements> SqliteJournal::Prepare(SqliteDatabase& database, int64_t version) {
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
                        .set_tip = prepare(SetTipSql(version)),
                        .select = prepare("SELECT id, crc32, data FROM event WHERE id > ?1 ORDER BY id"),
                        .select_from = prepare("SELECT id, crc32, data FROM event WHERE id >= ?1 ORDER BY id"),
                        .remove = prepare("DELETE FROM event WHERE id = ?1 RETURNING crc32"),
                        .checksum = prepare("SELECT crc32 FROM event WHERE id = ?1"),
                        .sum_up = prepare("SELECT count(*), coalesce(sum(crc32), 0) FROM event WHERE id <= ?1")};
  if (!status.ok()) return status;
  return statements;
}

absl::Status SqliteJournal::Append(absl::Span<const Event> events) {
  CURVECAST_CHECK(!replaying_);
  if (events.empty()) return absl::OkStatus();
  std::lock_guard lock(mutex_);
  JournalTip tip = tip_;
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  if (absl::Status status = Insert(events, tip); !status.ok()) return GiveUp(std::move(status));
  CrashPoint("before_commit");
  if (absl::Status status = statements_.commit.Run(); !status.ok()) {
    status = GiveUp(std::move(status));
    Retract();
    return status;
  }
  CrashPoint("committed");
  tip_ = tip;
  mark_.Set(tip_.last_id);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Insert(absl::Span<const Event> events, JournalTip& tip) {
  for (const Event& event : events) {
    if (absl::Status status = InsertRow(++tip.last_id, event, tip); !status.ok()) return status;
  }
  return SetTip(tip);
}

absl::Status SqliteJournal::InsertRow(int64_t id, const Event& event, JournalTip& tip) {
  const std::string bytes = EncodeEvent(event);
  const int64_t checksum = RowChecksum(id, bytes);
  statements_.insert.Bind(1, id);
  statements_.insert.Bind(2, checksum);
  statements_.insert.Bind(3, bytes);
  ++tip.events;
  tip.checksums += checksum;
  return statements_.insert.Run();
}

absl::Status SqliteJournal::SetTip(const JournalTip& tip) {
  statements_.set_tip.Bind(1, tip.last_id);
  statements_.set_tip.Bind(2, tip.events);
  statements_.set_tip.Bind(3, tip.checksums);
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
  JournalTip other = tip_;
  ++other.last_id;
  if (SetTip(other).ok() && SetTip(tip_).ok() && statements_.commit.Run().ok()) return;
  GiveUp(absl::OkStatus()).IgnoreError();
}

absl::Status SqliteJournal::Replay(int64_t after, absl::FunctionRef<absl::Status(Event)> visit) {
  CURVECAST_CHECK(!replaying_);
  std::lock_guard lock(mutex_);
  replaying_ = true;
  statements_.select.Bind(1, after);
  absl::Status status;
  GapLedger gaps(after);
  JournalTip found{.last_id = after};
  while (status.ok()) {
    absl::StatusOr<SqliteStatement::Row> row = statements_.select.Step();
    status = row.status();
    if (!status.ok() || *row == SqliteStatement::Row::kDone) break;
    const int64_t id = statements_.select.Integer(0);
    gaps.Missing(found.last_id + 1, id - 1);
    found.last_id = id;
    absl::StatusOr<Event> event = ReadRow(id);
    if (event.ok()) {
      ++found.events;
      found.checksums += statements_.select.Integer(1);
      if (const auto* kept = std::get_if<CurveKept>(&event->body)) {
        if (!kept->replaced.empty() && kept->replaced.back().last >= id) {
          status = Damaged(fmt::format("row {} of table event: it stands for rows behind it", id));
          break;
        }
        gaps.Replaced(kept->replaced);
      }
      status = visit(*std::move(event));
    } else {
      status = event.status();
    }
  }
  statements_.select.Reset();
  replaying_ = false;
  if (!status.ok()) return status;
  if (!gaps.Balanced()) return NameLostRows(after);
  if (found.last_id != tip_.last_id) {
    return Damaged(fmt::format("it ends with event {} and not with event {}", found.last_id, tip_.last_id));
  }
  if (version_ == 1) return absl::OkStatus();
  const absl::StatusOr<JournalTip> before = SumUpTo(after);
  if (!before.ok()) return before.status();
  found.events += before->events;
  found.checksums += before->checksums;
  if (found.events != tip_.events || found.checksums != tip_.checksums) {
    return Damaged(fmt::format("it holds {} events that are not the {} that belong there", found.events, tip_.events));
  }
  return absl::OkStatus();
}

absl::StatusOr<JournalTip> SqliteJournal::SumUpTo(int64_t id) {
  JournalTip sum{.last_id = id};
  if (id == 0) return sum;
  statements_.sum_up.Bind(1, id);
  const absl::StatusOr<SqliteStatement::Row> row = statements_.sum_up.Step();
  const bool sound = row.ok() && statements_.sum_up.IsInteger(0) && statements_.sum_up.IsInteger(1);
  if (sound) {
    sum.events = statements_.sum_up.Integer(0);
    sum.checksums = statements_.sum_up.Integer(1);
  }
  statements_.sum_up.Reset();
  if (!row.ok()) return row.status();
  return sound ? absl::StatusOr<JournalTip>(sum) : Damaged("its checksums are no numbers");
}

absl::StatusOr<int64_t> SqliteJournal::EventsUpTo(int64_t id) {
  std::lock_guard lock(mutex_);
  const absl::StatusOr<JournalTip> sum = SumUpTo(id);
  if (!sum.ok()) return sum.status();
  return sum->events;
}

absl::StatusOr<JournalMark> SqliteJournal::Newest() {
  std::lock_guard lock(mutex_);
  return MarkOf(tip_.last_id);
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
  return Damaged(fmt::format("row {} of table event: missing", id));
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

absl::StatusOr<Event> SqliteJournal::ReadRow(int64_t id) const {
  const SqliteStatement& row = statements_.select;
  if (!row.IsInteger(1) || !row.IsBlob(2)) {
    return Damaged(fmt::format("row {} of table event: of other types than were written", id));
  }
  return DecodeRow(id, row.Integer(1), row.Bytes(2));
}

absl::StatusOr<Event> SqliteJournal::DecodeRow(int64_t id, int64_t checksum, std::string_view bytes) const {
  if (checksum != RowChecksum(id, bytes)) {
    return Damaged(fmt::format("row {} of table event: its checksum does not fit its bytes", id));
  }
  absl::StatusOr<Event> event = DecodeEvent(bytes);
  if (event.ok()) return event;
  return Damaged(fmt::format("row {} of table event: {}", id, std::string(event.status().message())));
}

absl::Status SqliteJournal::Damaged(const std::string& what) const {
  return absl::DataLossError(fmt::format("{}: damaged: {}: restore it from a copy", file_, what));
}

}  // namespace curvecast
