#include "daemon/store/examination.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "daemon/store/journal_schema.h"
#include "daemon/store/row_scan.h"
#include "daemon/store/snapshot_file.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

// What a replay shows of the events.
struct Contents {
  int64_t events = 0;
  int64_t points = 0;
  int64_t first_micros = 0, last_micros = 0;
  Engine engine;
};

// The snapshot beside a journal, held against what the events make.
class Snapshot {
 public:
  Snapshot(const std::string& directory, SqliteJournal& journal, const WatchOptions& watch)
      : engine_(std::make_unique<Engine>(Prior::Shipped(), watch)) {
    SnapshotFile file(directory);
    loaded_ = LoadSnapshot(file, journal, *engine_);
  }

  // `folded` has folded so many events.
  void Compare(int64_t events, Engine& folded) {
    if (!loaded_.ok() || loaded_->id != events) return;
    folded.BeginSave();
    engine_->BeginSave();
    for (bool all = false, other_all = false; same_ && !all;) {
      std::string piece, other;
      all = folded.Save(kPieceBytes, piece);
      other_all = engine_->Save(kPieceBytes, other);
      same_ = piece == other && all == other_all;
    }
    folded.EndSave();
    engine_ = nullptr;
  }

  std::string Describe(int64_t events) const {
    if (absl::IsNotFound(loaded_.status())) return "no snapshot: a start reads all events\n";
    if (!loaded_.ok()) {
      return fmt::format("the snapshot is not used, a start reads all events: {}\n",
                         std::string(loaded_.status().message()));
    }
    return fmt::format("a snapshot of the first {} events: a start reads {}\n", loaded_->id, events - loaded_->id);
  }
  absl::Status verdict() const {
    if (same_) return absl::OkStatus();
    return absl::InternalError(
        "journal.snapshot: it does not hold what the events make, which is a mistake of curvecast's: remove it");
  }

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 20U;

  std::unique_ptr<Engine> engine_;
  absl::StatusOr<JournalMark> loaded_;
  bool same_ = true;
};

absl::Status Read(SqliteJournal& journal, Contents& contents, Snapshot& snapshot) {
  snapshot.Compare(0, contents.engine);
  return journal.Replay([&](const Event& event) {
    ++contents.events;
    if (contents.events == 1) contents.first_micros = event.time_unix_micros;
    contents.last_micros = event.time_unix_micros;
    if (const auto* batch = std::get_if<BatchAppended>(&event.body)) {
      for (const Column& column : batch->columns) contents.points += static_cast<int64_t>(column.steps.size());
    }
    const absl::Status status = contents.engine.Apply(event).status();
    if (status.ok()) snapshot.Compare(contents.events, contents.engine);
    return status;
  });
}

std::string Time(int64_t micros) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMicros(micros), absl::UTCTimeZone());
}

std::string Files(const std::string& directory) {
  std::string text;
  for (const char* name : {"journal.db", "journal.db-wal", "journal.tip", "journal.snapshot", "journal.lock"}) {
    std::error_code error;
    const auto size = fs::file_size(fs::path(directory) / name, error);
    if (!error) text += fmt::format("  {:<17}{:>14} bytes\n", name, size);
  }
  return fmt::format("{}\n{}", directory, text.empty() ? "  no store\n" : text);
}

std::string Describe(const Contents& contents) {
  std::string text = fmt::format("{} events with {} points of {} runs, format {}\n", contents.events, contents.points,
                                 contents.engine.runs(), kJournalVersion);
  if (contents.events == 0) return text;
  return text + fmt::format("from {} to {}\n", Time(contents.first_micros), Time(contents.last_micros));
}

std::string WhatCanBeRead(const std::string& directory) {
  absl::StatusOr<RowScan> scan = RowScan::Of(fs::path(directory) / "journal.db");
  if (!scan.ok()) return "";
  return fmt::format("{} events can still be read, the newest is {}: curvecastd --salvage makes a new store of them\n",
                     scan->size(), scan->last_id());
}

}  // namespace

Examination Examine(const std::string& directory, const WatchOptions& watch) {
  Examination examination{Files(directory), absl::OkStatus()};
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::OpenToLook(directory);
  examination.verdict = journal.status();
  if (journal.ok()) {
    Contents contents{.engine = Engine(Prior::Shipped(), watch)};
    Snapshot snapshot(directory, **journal, watch);
    examination.verdict = Read(**journal, contents, snapshot);
    if (examination.verdict.ok()) {
      examination.text += Describe(contents) + snapshot.Describe(contents.events);
      examination.verdict = snapshot.verdict();
    }
  }
  if (absl::IsDataLoss(examination.verdict)) examination.text += WhatCanBeRead(directory);
  return examination;
}

}  // namespace curvecast
