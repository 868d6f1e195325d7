#include "daemon/store/row_scan.h"

#include <utility>

#include "daemon/store/event_codec.h"
#include "daemon/store/journal_schema.h"

namespace curvecast {
namespace {

constexpr int64_t kLogHeader = 32;
constexpr int64_t kFrameHeader = 24;

uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4 && i < bytes.size(); ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

absl::StatusOr<RowScan> RowScan::Of(const std::string& file) {
  RowScan scan;
  absl::StatusOr<PageFile> database = PageFile::Open(file);
  absl::StatusOr<PageFile> log = PageFile::Open(file + "-wal");
  if (!database.ok() && !log.ok()) return database.status();
  if (database.ok()) scan.database_.emplace(*std::move(database));
  if (log.ok()) scan.log_.emplace(*std::move(log));
  scan.page_size_ = scan.PageSize();
  scan.ScanFile();
  scan.ScanLog();
  return scan;
}

// As the log's header says it, or the file's; SQLite's default if neither says anything sensible.
int64_t RowScan::PageSize() const {
  const auto sensible = [](int64_t size) { return size >= 512 && size <= 65536 && (size & (size - 1)) == 0; };
  const int64_t of_log = log_ ? NumberAt(log_->Read(8, 4), 0) : 0;
  if (sensible(of_log)) return of_log;
  const int64_t of_file = database_ ? NumberAt(database_->Read(14, 4), 0) & 0xffff : 0;
  if (of_file == 1) return 65536;
  return sensible(of_file) ? of_file : 4096;
}

void RowScan::ScanFile() {
  for (int64_t at = 0; at < file_bytes(); at += page_size_) ScanPage({.page_at = at});
}

void RowScan::ScanLog() {
  for (int64_t at = kLogHeader; at + kFrameHeader < log_bytes(); at += kFrameHeader + page_size_) {
    log_pages_[NumberAt(log_->Read(at, 4), 0)] = at + kFrameHeader;
  }
  for (int64_t at = kLogHeader; at + kFrameHeader < log_bytes(); at += kFrameHeader + page_size_) {
    ScanPage({.in_log = true, .page_at = at + kFrameHeader});
  }
}

std::string RowScan::PageAt(const Place& page) const {
  return (page.in_log ? log_ : database_)->Read(page.page_at, static_cast<size_t>(page_size_));
}

void RowScan::ScanPage(const Place& page) {
  const std::string bytes = PageAt(page);
  const std::vector<LeafCell> cells = LeafCells(bytes);
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto known = places_.find(cells[i].id);
    if (known != places_.end() && known->second.kept) continue;
    const std::optional<std::string> data = DataOf(cells[i]);
    if (!data) continue;
    Place place = page;
    place.cell = i;
    place.kept = HoldsCurveKept(*data);
    if (known == places_.end() || place.kept) places_[cells[i].id] = place;
  }
}

std::optional<std::string> RowScan::DataOf(const LeafCell& cell) const {
  if (cell.record_size > static_cast<uint64_t>(file_bytes() + log_bytes())) return std::nullopt;
  // Pages of overflow are written once. Where an old log lies about, the file's are right.
  for (const bool from_log : {true, false}) {
    const std::string record = Assemble(cell, from_log);
    const std::optional<EventRecord> event = ParseEventRecord(record);
    if (event && event->crc32 == RowChecksum(cell.id, event->data)) return std::string(event->data);
    if (cell.overflow_page == 0) break;
  }
  return std::nullopt;
}

std::string RowScan::Assemble(const LeafCell& cell, bool from_log) const {
  std::string record(cell.local);
  uint32_t next = cell.overflow_page;
  while (record.size() < cell.record_size && next != 0) {
    const auto in_log = from_log ? log_pages_.find(next) : log_pages_.end();
    const Place page = in_log != log_pages_.end() ? Place{.in_log = true, .page_at = in_log->second}
                                                  : Place{.page_at = (static_cast<int64_t>(next) - 1) * page_size_};
    if (!page.in_log && !database_) break;
    const std::string bytes = PageAt(page);
    if (bytes.size() <= 4) break;
    next = NumberAt(bytes, 0);
    record.append(bytes, 4, cell.record_size - record.size());
  }
  return record;
}

void RowScan::ForEach(absl::FunctionRef<void(int64_t id, const std::string& data)> visit) const {
  for (const auto& [id, place] : places_) {
    const std::string bytes = PageAt(place);
    const std::vector<LeafCell> cells = LeafCells(bytes);
    if (place.cell >= cells.size()) continue;  // The disk gave it once.
    if (const std::optional<std::string> data = DataOf(cells[place.cell])) visit(id, *data);
  }
}

}  // namespace curvecast
