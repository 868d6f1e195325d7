#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "daemon/store/sqlite_handle.h"

namespace curvecast {

// Copies a database that is in use to `file`, a new one, and syncs it. `mutex` is what the users of `source` hold while
// they use it; the copy takes it for a megabyte at a time. What is committed to `source` meanwhile goes into the copy
// as well, which therefore is a state that `source` had. CANCELLED soon after `cancelled` is true.
absl::Status CopyDatabase(SqliteDatabase& source, std::mutex& mutex, const std::atomic<bool>& cancelled,
                          const std::string& file);

}  // namespace curvecast
