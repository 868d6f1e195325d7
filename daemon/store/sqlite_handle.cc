#include "daemon/store/sqlite_handle.h"

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "core/base/check.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

bool DiskIsFull(int code, int system_error) {
  return code == SQLITE_FULL || (code == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT));
}

// `extended` is what SQLite just returned for `database` (which may be null: out of memory).
absl::Status ToStatus(sqlite3* database, int extended, const std::string& file) {
  const int code = extended & 0xff;
  const int system_error = database == nullptr ? 0 : sqlite3_system_errno(database);
  std::string what = fmt::format("{}: {}", file, database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database));
  if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) {
    what += fmt::format(" (SQLite's {}{})", extended,
                        system_error == 0 ? "" : fmt::format(", {}", std::strerror(system_error)));
  }
  if (DiskIsFull(code, system_error)) {
    return absl::ResourceExhaustedError(what +
                                        "; free some space on its disk, what was refused can then be sent again");
  }
  switch (code) {
    case SQLITE_ERROR:  // Our statements are always the same and right, so it is the file that makes no sense.
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          what +
          "; the file is damaged: restore it from a copy, run curvecastd --salvage, or move it away to start anew");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(what + "; another program has the file open: close it");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return absl::UnavailableError(what +
                                    "; give the daemon's user the right to read and write the file and its folder");
    default:
      return absl::UnavailableError(what + "; look at the disk and the system's log, then try again");
  }
}

}  // namespace

absl::StatusOr<SqliteStatement::Row> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return Row::kSome;
  if (code == SQLITE_DONE) return Row::kDone;
  absl::Status status = ToStatus(sqlite3_db_handle(statement_.get()), code, name_);
  Reset();
  return status;
}

absl::Status SqliteStatement::Run() {
  const int code = sqlite3_step(statement_.get());
  absl::Status status;
  if (code != SQLITE_DONE) status = ToStatus(sqlite3_db_handle(statement_.get()), code, name_);
  Reset();
  return status;
}

void SqliteStatement::Bind(int parameter, int64_t value) {
  CURVECAST_CHECK(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK);
}

void SqliteStatement::Bind(int parameter, std::string_view bytes) {
  // A null pointer would bind NULL instead of an empty blob.
  const char* data = bytes.empty() ? "" : bytes.data();
  CURVECAST_CHECK(sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), SQLITE_STATIC) == SQLITE_OK);
}

std::string_view SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<size_t>(size)};
}

absl::StatusOr<SqliteDatabase> SqliteDatabase::Open(const std::string& file, IfMissing if_missing) {
  const int create = if_missing == IfMissing::kCreate ? SQLITE_OPEN_CREATE : 0;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | create, nullptr);
  SqliteDatabase database(raw, file);  // SQLite hands out a handle to be closed even when it fails.
  if (code != SQLITE_OK) return ToStatus(raw, code, file);
  // SQLite falls back to reading a file that it may not write.
  if (sqlite3_db_readonly(raw, "main") == 1) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be written: give the daemon's user that right on the file", file));
  }
  return database;
}

absl::Status SqliteDatabase::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(database_.get(), code, file_);
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return ToStatus(database_.get(), code, file_);
  return SqliteStatement(raw, file_);
}

absl::Status SqliteDatabase::LastError() const {
  const int code = sqlite3_extended_errcode(database_.get());
  return code == SQLITE_OK || code == SQLITE_DONE ? absl::OkStatus() : ToStatus(database_.get(), code, file_);
}

absl::StatusOr<int64_t> SqliteDatabase::QueryInteger(const std::string& sql) {
  absl::StatusOr<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  absl::StatusOr<SqliteStatement::Row> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row == SqliteStatement::Row::kSome ? statement->Integer(0) : 0;
}

}  // namespace curvecast
