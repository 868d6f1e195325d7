#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/store/sqlite_handle.h"

// The file format of the journal: its marks and its two tables.
namespace curvecast {

inline constexpr int64_t kJournalApplicationId = 0x43764374;  // "CvCt"
inline constexpr int64_t kJournalVersion = 2;                 // SQLite's user_version; version 1 is read too.

// What the tables say of themselves: lost rows, and old ones that are back, are found out.
struct JournalTip {
  int64_t last_id = 0;    // Of the newest event; 0 if there is none.
  int64_t events = 0;     // Rows of table event ...
  int64_t checksums = 0;  // ... and the sum of their crc32. Version 1 has neither.
};

// Makes `file`, whole or not at all: `fill` makes it under another name, durably, and then it is renamed.
absl::Status MakeWhole(const std::string& file, absl::FunctionRef<absl::Status(const std::string& unfinished)> fill);

// Makes an empty journal at `file`, whole or not at all.
absl::Status CreateJournalFile(const std::string& file);

// Checks marks and tables, changing nothing; then makes the connection the only one, durable at every commit. Returns
// the file's version.
absl::StatusOr<int64_t> PrepareJournal(SqliteDatabase& database, const std::string& file);

// Both tables agree about the newest event, or it is DATA_LOSS.
absl::StatusOr<JournalTip> ReadTip(SqliteDatabase& database, const std::string& file, int64_t version);

// The statement that writes a JournalTip: ?1 its last_id, and from version 2 on ?2 its events, ?3 its checksums.
const char* SetTipSql(int64_t version);

// Brings a journal of version 1, which has been checked, to kJournalVersion: in one transaction, so all or nothing.
absl::StatusOr<JournalTip> MigrateJournal(SqliteDatabase& database, int64_t last_id);

// A mark for each row, over its id and its bytes: a row that was changed or moved is found out.
int64_t RowChecksum(int64_t id, std::string_view bytes);

}  // namespace curvecast
