#include "daemon/store/journal_schema.h"

#include <zlib.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "daemon/store/store_folder.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

// Compared with what a file holds, byte for byte: never edit them, add a version.
constexpr const char* kEventTable =
    "CREATE TABLE event(id INTEGER PRIMARY KEY, crc32 INTEGER NOT NULL, data BLOB NOT NULL) STRICT";
// One row, written in every transaction, so that a journal that lost its newest events does not look like a shorter
// one.
constexpr const char* kTipTableOfVersion1 =
    "CREATE TABLE tip(id INTEGER PRIMARY KEY CHECK(id = 1), last_event INTEGER NOT NULL) STRICT";
constexpr const char* kTipTable =
    "CREATE TABLE tip(id INTEGER PRIMARY KEY CHECK(id = 1), last_event INTEGER NOT NULL, events INTEGER NOT NULL, "
    "checksums INTEGER NOT NULL) STRICT";

absl::Status Fill(const std::string& file) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(file, SqliteDatabase::IfMissing::kCreate);
  if (!database.ok()) return database.status();
  return database->Execute(
      fmt::format("PRAGMA synchronous=FULL; BEGIN IMMEDIATE; PRAGMA application_id={}; PRAGMA user_version={};"
                  "{}; {}; INSERT INTO tip VALUES(1, 0, 0, 0); COMMIT",
                  kJournalApplicationId, kJournalVersion, kEventTable, kTipTable));
}

// Returns the version.
absl::StatusOr<int64_t> CheckMarks(SqliteDatabase& database, const std::string& file) {
  absl::StatusOr<int64_t> application = database.QueryInteger("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (*application != kJournalApplicationId) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: no journal of curvecast (its SQLite application_id is {}, not {}): move it away, or choose another "
        "folder (store.directory)",
        file, *application, kJournalApplicationId));
  }
  absl::StatusOr<int64_t> version = database.QueryInteger("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version > kJournalVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{}: written by a newer curvecast (format {}; this one reads up to {}): start that one instead",
                    file, *version, kJournalVersion));
  }
  if (*version < 1) return absl::DataLossError(fmt::format("{}: damaged: there is no format {}", file, *version));
  return *version;
}

absl::Status CheckTables(SqliteDatabase& database, const std::string& file, int64_t version) {
  absl::StatusOr<SqliteStatement> query =
      database.Prepare("SELECT group_concat(sql, '; ') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
  if (!query.ok()) return query.status();
  absl::StatusOr<SqliteStatement::Row> row = query->Step();
  if (!row.ok()) return row.status();
  const char* tip = version == 1 ? kTipTableOfVersion1 : kTipTable;
  if (query->Bytes(0) == fmt::format("{}; {}", kEventTable, tip)) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{}: damaged: its tables are not those of format {}: restore it from a copy", file, version));
}

}  // namespace

absl::Status MakeWhole(const std::string& file, absl::FunctionRef<absl::Status(const std::string& unfinished)> fill) {
  const std::string unfinished = file + ".new";
  const auto remove_leftovers = [&] {
    for (const std::string& leftover : {unfinished, unfinished + "-journal"}) {
      std::error_code ignored;  // If it cannot be removed, making it anew says why.
      std::filesystem::remove(leftover, ignored);
    }
  };
  remove_leftovers();
  if (absl::Status status = fill(unfinished); !status.ok()) {
    remove_leftovers();
    return status;
  }
  std::error_code error;
  std::filesystem::rename(unfinished, file, error);
  if (error) return absl::UnavailableError(fmt::format("{}: cannot be made ({})", file, error.message()));
  return SyncFolder(std::filesystem::path(file).parent_path());
}

absl::Status CreateJournalFile(const std::string& file) { return MakeWhole(file, Fill); }

absl::StatusOr<int64_t> PrepareJournal(SqliteDatabase& database, const std::string& file) {
  // Exclusive first: a WAL that is opened so needs no shared memory, and no other connection can meet it.
  if (absl::Status status =
          database.Execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF");
      !status.ok()) {
    return status;
  }
  absl::StatusOr<int64_t> version = CheckMarks(database, file);
  if (!version.ok()) return version;
  if (absl::Status status = CheckTables(database, file, *version); !status.ok()) return status;
  if (absl::Status status =
          database.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864");
      !status.ok()) {
    return status;
  }
  return version;
}

absl::StatusOr<JournalTip> ReadTip(SqliteDatabase& database, const std::string& file, int64_t version) {
  absl::StatusOr<int64_t> present = database.QueryInteger("SELECT max(id) FROM event");
  if (!present.ok()) return present.status();
  JournalTip tip;
  const auto read = [&](const char* column, int64_t& into) {
    absl::StatusOr<int64_t> value = database.QueryInteger(fmt::format("SELECT {} FROM tip WHERE id = 1", column));
    if (value.ok()) into = *value;
    return value.status();
  };
  if (absl::Status status = read("last_event", tip.last_id); !status.ok()) return status;
  if (version > 1) {
    if (absl::Status status = read("events", tip.events); !status.ok()) return status;
    if (absl::Status status = read("checksums", tip.checksums); !status.ok()) return status;
  }
  if (tip.last_id == *present) return tip;
  return absl::DataLossError(
      fmt::format("{}: damaged: it should end with event {} and ends with event {}: restore it from a copy", file,
                  tip.last_id, *present));
}

const char* SetTipSql(int64_t version) {
  return version == 1 ? "UPDATE tip SET last_event = ?1 WHERE id = 1"
                      : "UPDATE tip SET last_event = ?1, events = ?2, checksums = ?3 WHERE id = 1";
}

absl::StatusOr<JournalTip> MigrateJournal(SqliteDatabase& database, int64_t last_id) {
  JournalTip tip{.last_id = last_id};
  absl::StatusOr<int64_t> events = database.QueryInteger("SELECT count(*) FROM event");
  if (!events.ok()) return events.status();
  absl::StatusOr<int64_t> checksums = database.QueryInteger("SELECT coalesce(sum(crc32), 0) FROM event");
  if (!checksums.ok()) return checksums.status();
  tip.events = *events;
  tip.checksums = *checksums;
  const absl::Status status = database.Execute(
      fmt::format("BEGIN IMMEDIATE; DROP TABLE tip; {}; INSERT INTO tip VALUES(1, {}, {}, {}); PRAGMA user_version={}; "
                  "COMMIT",
                  kTipTable, tip.last_id, tip.events, tip.checksums, kJournalVersion));
  if (status.ok()) return tip;
  if (database.InTransaction()) database.Execute("ROLLBACK").IgnoreError();
  return status;
}

int64_t RowChecksum(int64_t id, std::string_view bytes) {
  std::array<Bytef, 8> id_bytes;
  for (size_t i = 0; i < id_bytes.size(); ++i) id_bytes[i] = static_cast<Bytef>(static_cast<uint64_t>(id) >> (8 * i));
  const uLong of_id = crc32_z(0, id_bytes.data(), id_bytes.size());
  return static_cast<int64_t>(crc32_z(of_id, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace curvecast
