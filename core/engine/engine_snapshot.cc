// Snapshots of an Engine: what it saves, and how it becomes the same again.

#include <utility>

#include "core/base/archive.h"
#include "core/base/stable_hash.h"
#include "core/engine/engine.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

enum class Record : uint8_t { kRun = 1, kPast = 2 };

void AppendRecord(const RunKey& key, const Run& run, std::string& bytes) {
  ArchiveWriter archive(bytes);
  archive(Record::kRun, key);
  run.Save(archive);
}

void AppendRecord(const PastKey& key, const Project& project, std::string& bytes) {
  ArchiveWriter archive(bytes);
  archive(Record::kPast, key, project);
}

}  // namespace

std::string Engine::settings() const {
  if (!watching_.on) return fmt::format("no watch, prior {:016x}", StableHash(prior_.Format()));
  const WatchOptions& watch = watching_.options;
  return fmt::format(
      "false_alarms_per_1000_run_days {}, mean_points_between_false_alarms {}, silent_after_seconds {}, prior {:016x}",
      watch.false_alarms_per_1000_run_days, watch.mean_points_between_false_alarms, watch.silent_after_seconds,
      StableHash(prior_.Format()));
}

void Engine::BeginSave() {
  ++snapshots_;
  saving_ = Saving{};
}

void Engine::SaveBeforeChange(const RunKey& key, Entry& entry) {
  if (std::exchange(entry.saved_in, snapshots_) != snapshots_) AppendRecord(key, *entry.run, saving_->ahead);
}

void Engine::SaveBeforeChange(const PastKey& key, PastEntry& past) {
  if (std::exchange(past.saved_in, snapshots_) != snapshots_) AppendRecord(key, past.project, saving_->ahead);
}

bool Engine::Save(size_t bytes, std::string& piece) {
  Saving& saving = *saving_;
  const auto full = [&] {  // Keys are looked up anew each time: runs may have come in between.
    piece += saving.ahead;
    saving.ahead.clear();
    return piece.size() >= bytes;
  };
  if (full()) return false;
  for (auto at = runs_.lower_bound(saving.next_run); !saving.runs_done && at != runs_.end(); ++at) {
    SaveBeforeChange(at->first, at->second);
    saving.next_run = at->first;
    if (full()) return false;
  }
  saving.runs_done = true;
  for (auto at = projects_.lower_bound(saving.next_past); at != projects_.end(); ++at) {
    SaveBeforeChange(at->first, at->second);
    saving.next_past = at->first;
    if (full()) return false;
  }
  EndSave();
  return true;
}

absl::Status Engine::Load(std::string_view piece) {
  ArchiveReader archive(piece);
  while (archive.ok() && !archive.at_end()) {
    Record record{};
    archive(record);
    if (record == Record::kRun) {
      RunKey key;
      archive(key);
      std::unique_ptr<Run> run = Run::Load(archive, watching_);
      if (!archive.ok()) break;
      if (run->state() == RunState::kRunning) ++running_;
      if (!runs_.try_emplace(std::move(key), Entry{.run = std::move(run), .view = nullptr}).second) archive.Fail();
    } else if (record == Record::kPast) {
      PastKey key;
      PastEntry past;
      archive(key, past.project);
      if (archive.ok() && !projects_.try_emplace(std::move(key), std::move(past)).second) archive.Fail();
    } else {
      archive.Fail();
    }
  }
  if (archive.ok()) return absl::OkStatus();
  return absl::DataLossError("it holds what no snapshot of this curvecast holds");
}

std::string Engine::State() const {
  std::string bytes;
  for (const auto& [key, entry] : runs_) AppendRecord(key, *entry.run, bytes);
  for (const auto& [key, past] : projects_) AppendRecord(key, past.project, bytes);
  return bytes;
}

void Engine::Clear() {
  runs_.clear();
  running_ = 0;
  projects_.clear();
}

}  // namespace curvecast
