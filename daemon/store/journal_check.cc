#include "daemon/store/journal_check.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/store/page_file.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr std::string_view kMagic = {"SQLite format 3", 16};  // With the zero at its end.
constexpr int64_t kSmallestPage = 512;

absl::Status Damaged(const std::string& file, std::string_view why) {
  return absl::DataLossError(
      fmt::format("{}: damaged: {}: restore it from a copy, or run curvecastd --salvage", file, why));
}

// A check tells errors of the disk in the words of damage: "Page 3: unable to get the page. error code=266".
bool DiskRefused(std::string_view found) {
  constexpr std::string_view kCode = "error code=";
  const size_t at = found.find(kCode);
  if (at == std::string_view::npos) return false;
  const int code = std::atoi(std::string(found.substr(at + kCode.size())).c_str()) & 0xff;
  return code != SQLITE_CORRUPT;
}

// Marks in the file's first bytes that steer how SQLite writes, and that no journal of ours has ever had.
absl::Status CheckMarksOfWriting(SqliteDatabase& database, const std::string& file, int64_t version) {
  for (const std::string_view mark : {"freelist_count", "auto_vacuum"}) {
    if (version > 1 && mark == "freelist_count") continue;  // A compaction frees pages; the check counts them.
    absl::StatusOr<int64_t> value = database.QueryInteger(fmt::format("PRAGMA {}", mark));
    if (!value.ok()) return value.status();
    if (*value != 0) return Damaged(file, fmt::format("its header says {} {} and must say 0", mark, *value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHead(const std::string& file) {
  const absl::StatusOr<PageFile> log = PageFile::Open(file + "-wal");
  if (!log.ok() || log->size() == 0) return absl::OkStatus();
  const absl::StatusOr<PageFile> database = PageFile::Open(file);
  if (!database.ok()) return database.status();
  const bool whole = database->size() >= kSmallestPage && database->Read(0, kMagic.size()) == kMagic;
  return whole ? absl::OkStatus() : Damaged(file, "its first bytes are not those of a database");
}

absl::Status CheckStructure(SqliteDatabase& database, const std::string& file, int64_t version) {
  if (absl::Status status = CheckMarksOfWriting(database, file, version); !status.ok()) return status;
  absl::StatusOr<SqliteStatement> check = database.Prepare("PRAGMA quick_check(1)");
  if (!check.ok()) return check.status();
  absl::StatusOr<SqliteStatement::Row> row = check->Step();
  if (!row.ok()) return row.status();
  const std::string_view found = check->Bytes(0);
  if (found == "ok") return absl::OkStatus();
  if (DiskRefused(found)) {
    return absl::UnavailableError(fmt::format(
        "{}: cannot be read: {}; look at the disk and the system's log, then try again", file, found.substr(0, 200)));
  }
  return Damaged(file, found.substr(0, 200));
}

}  // namespace curvecast
