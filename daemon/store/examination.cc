#include "daemon/store/examination.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/time/time.h"
#include "core/engine/engine.h"
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
  int64_t evicted = 0;                  // Runs, which are not held any more.
  int64_t places = 0, kept_points = 0;  // CurveKept, and the points that they stand for.
  int64_t first_micros = 0, last_micros = 0;
  Engine engine;
};

// The snapshot beside a journal, and what a start makes of it. Held against what the events make, in the end: at the
// event that it goes up to they may lack points that were compacted since, which come with an event behind it.
class Snapshot {
 public:
  Snapshot(const std::string& directory, SqliteJournal& journal, const WatchOptions& watch)
      : engine_(Prior::Shipped(), watch) {
    SnapshotFile file(directory);
    const absl::StatusOr<JournalMark> newest = LoadSnapshot(file, journal, engine_);
    if (newest.ok()) {
      events_ = journal.EventsUpTo(newest->id);
    } else {
      events_ = newest.status();
    }
  }

  // The next event of the journal.
  void Fold(const Event& event) {
    if (!events_.ok() || ++read_ <= *events_ || !status_.ok()) return;
    status_ = engine_.Apply(event).status();
  }

  std::string Describe() const {
    if (absl::IsNotFound(events_.status())) return "no snapshot: a start reads all events\n";
    if (!events_.ok()) {
      return fmt::format("the snapshot is not used, a start reads all events: {}\n",
                         std::string(events_.status().message()));
    }
    return fmt::format("a snapshot of the first {} events: a start reads {}\n", *events_, read_ - *events_);
  }

  // `folded` has folded all events.
  absl::Status Compare(Engine& folded) {
    if (!events_.ok()) return absl::OkStatus();
    folded.BeginSave();
    engine_.BeginSave();
    bool same = status_.ok();
    for (bool all = false; same && !all;) {
      std::string piece, other;
      all = folded.Save(kPieceBytes, piece);
      same = engine_.Save(kPieceBytes, other) == all && piece == other;
    }
    folded.EndSave();
    engine_.EndSave();
    if (same) return absl::OkStatus();
    return absl::InternalError(
        "journal.snapshot: it does not hold what the events make, which is a mistake of curvecast's: remove it");
  }

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 20U;

  Engine engine_;
  absl::StatusOr<int64_t> events_;  // That it goes up to; or why it is not used.
  int64_t read_ = 0;
  absl::Status status_;  // Of the events behind it.
};

absl::Status Read(SqliteJournal& journal, Contents& contents, Snapshot& snapshot) {
  return journal.Replay([&](const Event& event) {
    ++contents.events;
    if (contents.events == 1) contents.first_micros = event.time_unix_micros;
    contents.last_micros = event.time_unix_micros;
    if (const auto* batch = std::get_if<BatchAppended>(&event.body)) {
      for (const Column& column : batch->columns) contents.points += static_cast<int64_t>(column.steps.size());
    }
    if (std::holds_alternative<RunEvicted>(event.body)) ++contents.evicted;
    if (const auto* kept = std::get_if<CurveKept>(&event.body)) {
      ++contents.places;
      contents.kept_points += kept->points;
    }
    snapshot.Fold(event);
    return contents.engine.Apply(event).status();
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

std::string Describe(const Contents& contents, int64_t version) {
  std::string text = fmt::format("{} events with {} points of {} runs, format {}\n", contents.events, contents.points,
                                 contents.engine.runs(), version);
  if (contents.events == 0) return text;
  if (contents.evicted > 0) {
    text += fmt::format("{} runs that were over are held no more (limits.max_finished_runs)\n", contents.evicted);
  }
  if (contents.places > 0) {
    text += fmt::format("{} curves stand for {} points more, which are gone one by one\n", contents.places,
                        contents.kept_points);
  }
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
      examination.text += Describe(contents, (*journal)->version()) + snapshot.Describe();
      examination.verdict = snapshot.Compare(contents.engine);
    }
  }
  if (absl::IsDataLoss(examination.verdict)) examination.text += WhatCanBeRead(directory);
  return examination;
}

}  // namespace curvecast
