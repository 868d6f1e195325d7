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
inline constexpr int64_t kJournalVersion = 1;                 // SQLite's user_version.

// Makes `file`, whole or not at all: `fill` makes it under another name, durably, and then it is renamed.
absl::Status MakeWhole(const std::string& file, absl::FunctionRef<absl::Status(const std::string& unfinished)> fill);

// Makes an empty journal at `file`, whole or not at all.
absl::Status CreateJournalFile(const std::string& file);

// Checks marks and tables, changing nothing; then makes the connection the only one, durable at every commit.
absl::Status PrepareJournal(SqliteDatabase& database, const std::string& file);

// The id of the newest event, as both tables say it. DATA_LOSS if they do not agree.
absl::StatusOr<int64_t> ReadTip(SqliteDatabase& database, const std::string& file);

// A mark for each row, over its id and its bytes: a row that was changed or moved is found out.
int64_t RowChecksum(int64_t id, std::string_view bytes);

}  // namespace curvecast
