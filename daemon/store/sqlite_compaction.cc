#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/gap_ledger.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"

// The side of SqliteJournal that reads rows by their ids, and replaces them.
namespace curvecast {

absl::StatusOr<std::vector<StoredEvent>> SqliteJournal::Read(int64_t from_id, size_t max_bytes) {
  struct Bytes {
    int64_t id, checksum;
    std::string data;
  };
  std::vector<Bytes> rows;
  {
    std::lock_guard lock(mutex_);
    statements_.select_from.Bind(1, from_id);
    absl::StatusOr<SqliteStatement::Row> row = SqliteStatement::Row::kSome;
    for (size_t bytes = 0; bytes < max_bytes;) {
      row = statements_.select_from.Step();
      if (!row.ok() || *row == SqliteStatement::Row::kDone) break;
      const SqliteStatement& of = statements_.select_from;
      rows.push_back({of.Integer(0), of.Integer(1), std::string(of.Bytes(2))});
      bytes += rows.back().data.size();
    }
    statements_.select_from.Reset();
    if (!row.ok()) return row.status();
  }
  std::vector<StoredEvent> events;
  events.reserve(rows.size());
  for (const Bytes& row : rows) {
    absl::StatusOr<Event> event = DecodeRow(row.id, row.checksum, row.data);
    if (!event.ok()) return event.status();
    events.push_back({row.id, row.data.size(), *std::move(event)});
  }
  return events;
}

absl::Status SqliteJournal::Replace(const Replacement& replacement) {
  CURVECAST_CHECK(!replacement.ids.empty() && version_ > 1);
  std::lock_guard lock(mutex_);
  CURVECAST_CHECK(!replaying_);
  JournalTip tip = tip_;
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  for (const int64_t id : replacement.ids) {
    if (absl::Status status = RemoveRow(id, tip); !status.ok()) return GiveUp(std::move(status));
  }
  absl::Status status = InsertRow(replacement.ids.back(), replacement.kept, tip);
  if (status.ok()) status = SetTip(tip);
  // One that fails here may be on the disk all the same: that is the same run.
  if (status.ok()) status = statements_.commit.Run();
  if (!status.ok()) return GiveUp(std::move(status));
  tip_ = tip;
  return absl::OkStatus();
}

absl::Status SqliteJournal::RemoveRow(int64_t id, JournalTip& tip) {
  statements_.remove.Bind(1, id);
  const absl::StatusOr<SqliteStatement::Row> row = statements_.remove.Step();
  absl::Status status = row.status();
  if (status.ok() && *row == SqliteStatement::Row::kDone) {
    status = absl::NotFoundError(fmt::format("{}: there is no event {} to be replaced", file_, id));
  }
  if (status.ok()) {
    --tip.events;
    tip.checksums -= statements_.remove.Integer(0);
    status = statements_.remove.Step().status();  // To its end.
  }
  statements_.remove.Reset();
  return status;
}

absl::StatusOr<JournalSize> SqliteJournal::Size() {
  std::lock_guard lock(mutex_);
  JournalSize size{.last_id = tip_.last_id, .events = tip_.events};
  int64_t of[3] = {};
  const char* const names[3] = {"page_size", "page_count", "freelist_count"};
  for (int i = 0; i < 3; ++i) {
    absl::StatusOr<int64_t> value = database_.QueryInteger(fmt::format("PRAGMA {}", names[i]));
    if (!value.ok()) return value.status();
    of[i] = *value;
  }
  size.file_bytes = of[0] * of[1];
  size.used_bytes = of[0] * (of[1] - of[2]);
  return size;
}

absl::Status SqliteJournal::NameLostRows(int64_t after) {
  std::vector<CurveKept::Rows> missing, replaced;
  int64_t before = after;
  statements_.select.Bind(1, after);
  while (true) {
    absl::StatusOr<SqliteStatement::Row> row = statements_.select.Step();
    if (!row.ok() || *row == SqliteStatement::Row::kDone) break;
    const int64_t id = statements_.select.Integer(0);
    if (id > before + 1) missing.push_back({before + 1, id - 1});
    before = id;
    const absl::StatusOr<Event> event = ReadRow(id);
    if (!event.ok()) continue;
    const auto* kept = std::get_if<CurveKept>(&event->body);
    if (kept != nullptr) replaced.insert(replaced.end(), kept->replaced.begin(), kept->replaced.end());
  }
  statements_.select.Reset();
  const std::vector<CurveKept::Rows> lost = Lost(std::move(missing), std::move(replaced));
  if (lost.empty()) return Damaged("it holds rows that others have taken the place of");
  int64_t count = 0;
  for (const CurveKept::Rows& rows : lost) count += rows.last - rows.first + 1;
  return Damaged(fmt::format("row {} of table event: missing{}", lost[0].first,
                             count > 1 ? fmt::format(", and {} more", count - 1) : ""));
}

}  // namespace curvecast
