#pragma once

#include <string>

#include "absl/status/status.h"
#include "daemon/store/sqlite_handle.h"

namespace curvecast {

// Whether `file` begins as a database does, if there is a log beside it: SQLite removes the log of a file that it takes
// for an empty one. Before it is opened. DATA_LOSS if not.
absl::Status CheckHead(const std::string& file);

// Whether SQLite may go on writing to this file: its tree is in order, each page is used once or lies free (in version
// 1, whose rows stay, none does). A replay reads every row but not what guides to them: it would find all rows of a
// tree whose signposts are wrong, and the next row would go astray. Reads the whole file once.
//
// DATA_LOSS, with what is wrong where, if not.
absl::Status CheckStructure(SqliteDatabase& database, const std::string& file, int64_t version);

}  // namespace curvecast
