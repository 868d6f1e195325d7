#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "daemon/store/leaf_page.h"
#include "daemon/store/page_file.h"

namespace curvecast {

// The rows of table event that can still be read of a journal, however damaged: found page by page in the file and in
// its log, without SQLite and without its tree. A row's checksum covers its id, so what is found is what was written.
//
// Of two rows of one id (a transaction that was refused, and what came in its place) the committed one counts: the one
// in the file, or the first in the log. But a row that stands for others counts before any: the rows that it stands for
// may lie about on free pages, in part. Opens the files for reading only.
class RowScan {
 public:
  // `file` is journal.db; `file`-wal is read too if it is there. NOT_FOUND if neither is.
  static absl::StatusOr<RowScan> Of(const std::string& file);

  // The ids that were found, in order.
  size_t size() const { return places_.size(); }
  void ForEach(absl::FunctionRef<void(int64_t id, const std::string& data)> visit) const;
  int64_t last_id() const { return places_.empty() ? 0 : places_.rbegin()->first; }

  int64_t file_bytes() const { return database_ ? database_->size() : 0; }
  int64_t log_bytes() const { return log_ ? log_->size() : 0; }

 private:
  struct Place {
    bool in_log = false;
    int64_t page_at = 0;  // Where the page's bytes begin.
    size_t cell = 0;
    bool kept = false;  // It stands for other rows.
  };

  RowScan() = default;
  int64_t PageSize() const;
  void ScanFile();
  void ScanLog();
  void ScanPage(const Place& page);
  std::string PageAt(const Place& page) const;
  // The row's data, if its checksum fits.
  std::optional<std::string> DataOf(const LeafCell& cell) const;
  std::string Assemble(const LeafCell& cell, bool from_log) const;

  std::optional<PageFile> database_, log_;
  int64_t page_size_ = 4096;
  absl::flat_hash_map<uint32_t, int64_t> log_pages_;  // Where in the log the newest image of a page is.
  absl::btree_map<int64_t, Place> places_;
};

}  // namespace curvecast
