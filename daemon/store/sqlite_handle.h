#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Owning handles over SQLite's C interface, and its errors as a Status that says what to do. One thread at a time.
namespace curvecast {

class SqliteStatement {
 public:
  enum class Row { kSome, kDone };

  SqliteStatement() = default;  // To be assigned to; nothing else.

  // To its end, and ready for the next time. For statements that find no rows.
  absl::Status Run();

  // The next row of a query, or the end of any statement.
  absl::StatusOr<Row> Step();
  // Ready to be stepped again; what was bound stays bound. Call it when done: a statement left in the middle holds a
  // lock.
  void Reset() { sqlite3_reset(statement_.get()); }

  // Parameters count from 1. Bytes are not copied and must live until Reset.
  void Bind(int parameter, int64_t value);
  void Bind(int parameter, std::string_view bytes);

  // Columns count from 0. Of a row that Step has just found; bytes live until the next Step.
  bool IsInteger(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER; }
  bool IsBlob(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB; }
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view Bytes(int column) const;  // Of a blob or a text.

 private:
  friend class SqliteDatabase;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  SqliteStatement(sqlite3_stmt* statement, std::string name) : statement_(statement), name_(std::move(name)) {}

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  std::string name_;  // The database's file, for messages.
};

class SqliteDatabase {
 public:
  enum class IfMissing { kFail, kCreate };

  static absl::StatusOr<SqliteDatabase> Open(const std::string& file, IfMissing if_missing);

  // Statements without parameters; the rows of queries are thrown away.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<SqliteStatement> Prepare(const std::string& sql);
  // The first column of the first row; 0 if there is none.
  absl::StatusOr<int64_t> QueryInteger(const std::string& sql);

  // What the last call on it said.
  absl::Status LastError() const;

  // Whether the last connection to close a WAL writes it back and removes it, as SQLite does by default.
  void WriteBackOnClose(bool on) {
    sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
  }

  // Whether a transaction is open: a failed COMMIT may or may not have ended it.
  bool InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

 private:
  friend class DatabaseCopy;
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  SqliteDatabase(sqlite3* database, std::string file) : database_(database), file_(std::move(file)) {}

  std::unique_ptr<sqlite3, Closer> database_;
  std::string file_;
};

}  // namespace curvecast
