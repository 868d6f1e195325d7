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
constexpr const char* kTipTable =
    "CREATE TABLE tip(id INTEGER PRIMARY KEY CHECK(id = 1), last_event INTEGER NOT NULL) STRICT";

absl::Status Fill(const std::string& file) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(file, SqliteDatabase::IfMissing::kCreate);
  if (!database.ok()) return database.status();
  return database->Execute(
      fmt::format("PRAGMA synchronous=FULL; BEGIN IMMEDIATE; PRAGMA application_id={}; PRAGMA user_version={};"
                  "{}; {}; INSERT INTO tip VALUES(1, 0); COMMIT",
                  kJournalApplicationId, kJournalVersion, kEventTable, kTipTable));
}

absl::Status CheckMarks(SqliteDatabase& database, const std::string& file) {
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
  return absl::OkStatus();
}

absl::Status CheckTables(SqliteDatabase& database, const std::string& file) {
  absl::StatusOr<SqliteStatement> query =
      database.Prepare("SELECT group_concat(sql, '; ') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
  if (!query.ok()) return query.status();
  absl::StatusOr<SqliteStatement::Row> row = query->Step();
  if (!row.ok()) return row.status();
  if (query->Bytes(0) == fmt::format("{}; {}", kEventTable, kTipTable)) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{}: damaged: its tables are not those of format {}: restore it from a copy", file, kJournalVersion));
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

absl::Status PrepareJournal(SqliteDatabase& database, const std::string& file) {
  // Exclusive first: a WAL that is opened so needs no shared memory, and no other connection can meet it.
  if (absl::Status status =
          database.Execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF");
      !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckMarks(database, file); !status.ok()) return status;
  if (absl::Status status = CheckTables(database, file); !status.ok()) return status;
  return database.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864");
}

absl::StatusOr<int64_t> ReadTip(SqliteDatabase& database, const std::string& file) {
  absl::StatusOr<int64_t> promised = database.QueryInteger("SELECT last_event FROM tip WHERE id = 1");
  if (!promised.ok()) return promised.status();
  absl::StatusOr<int64_t> present = database.QueryInteger("SELECT max(id) FROM event");
  if (!present.ok()) return present.status();
  if (*promised == *present) return *present;
  return absl::DataLossError(
      fmt::format("{}: damaged: it should end with event {} and ends with event {}: restore it from a copy", file,
                  *promised, *present));
}

int64_t RowChecksum(int64_t id, std::string_view bytes) {
  std::array<Bytef, 8> id_bytes;
  for (size_t i = 0; i < id_bytes.size(); ++i) id_bytes[i] = static_cast<Bytef>(static_cast<uint64_t>(id) >> (8 * i));
  const uLong of_id = crc32_z(0, id_bytes.data(), id_bytes.size());
  return static_cast<int64_t>(crc32_z(of_id, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace curvecast
