#include "daemon/store/run_export.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/engine/engine.h"
#include "curvecast/v1/run.pb.h"
#include "daemon/convert/run_convert.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRunsASweep = 512;
constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kBufferBytes = 64 << 10;

std::string LineOf(const v1::RunFileLine& line) {
  std::string text;
  CURVECAST_CHECK(google::protobuf::util::MessageToJsonString(line, &text).ok());
  return text + "\n";
}

// A bin's points are gone: it speaks for them.
Column MeansOf(const CurveKept::Series& series) {
  const Curve::Parts parts = series.curve.parts();
  std::map<Step, double> points;
  for (const Curve::Span& span : parts.spans) {
    points[span.first_step] = points[span.last_step] = std::numeric_limits<double>::quiet_NaN();
  }
  for (const Bin& bin : parts.bins) points[std::llround(bin.mean_step)] = bin.mean;
  Column column{series.metric, {}, {}};
  for (const auto& [step, value] : points) {
    column.steps.push_back(step);
    column.values.push_back(value);
  }
  return column;
}

// Writes one run: what follows the first line goes to a file of its own, since that line is known at the end.
class RunWriter {
 public:
  RunWriter(RunKey key, fs::path file) : key_(std::move(key)), file_(std::move(file)), rest_(file_.string() + ".part") {
    std::error_code ignored;
    fs::remove(rest_, ignored);
  }

  absl::Status Take(const Event& event) {
    if (std::holds_alternative<RunEvicted>(event.body)) {
      evicted_ = true;
      return absl::OkStatus();
    }
    if (std::exchange(evicted_, false)) Restart();
    const absl::StatusOr<Engine::Effect> effect = engine_->Apply(event);
    if (!effect.ok()) return effect.status();
    const Run& run = *engine_->Find(key_);
    if (const auto* kept = std::get_if<CurveKept>(&event.body)) return TakeKept(*kept);
    const auto* batch = std::get_if<BatchAppended>(&event.body);
    if (batch == nullptr || effect->duplicate) return absl::OkStatus();
    if (run.rewind_count() != rewinds_) {
      rewinds_ = run.rewind_count();
      v1::RunFileLine line;
      line.mutable_rewind()->set_from_step(run.View()->rewinds.back());
      buffer_ += LineOf(line);
    }
    for (const Column& column : batch->columns) Put(column);
    return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
  }

  absl::StatusOr<ExportedRun> Finish() {
    const Run& run = *engine_->Find(key_);
    v1::RunFileLine first, last;
    *first.mutable_run() = ToProto(run.spec());
    if (exported_.binned > 0) (*first.mutable_run()->mutable_labels())["points"] = "binned";
    if (run.state() != RunState::kRunning) {
      last.mutable_end()->set_state(ToProto(run.state()));
      buffer_ += LineOf(last);
    }
    if (absl::Status status = Flush(); !status.ok()) return status;
    {
      std::ofstream out(file_, std::ios::binary | std::ios::trunc);
      out << LineOf(first);
      std::ifstream rest(rest_, std::ios::binary);
      if (fs::file_size(rest_) > 0) out << rest.rdbuf();
      out.close();
      if (!out.good()) return CannotWrite();
    }
    std::error_code ignored;
    fs::remove(rest_, ignored);
    exported_.key = key_;
    exported_.file = file_;
    return exported_;
  }

  bool opened() const { return engine_->Find(key_) != nullptr; }

 private:
  // Another run of that name.
  void Restart() {
    engine_.reset(new Engine(Engine::Unwatched(Prior::Shipped())));
    rewinds_ = 0;
    buffer_.clear();
    exported_ = {};
    std::error_code ignored;
    fs::remove(rest_, ignored);
  }

  // What its rows said is in it.
  absl::Status TakeKept(const CurveKept& kept) {
    buffer_.clear();
    exported_.points = 0;
    exported_.binned = kept.points;
    rewinds_ = kept.rewind_count;
    std::error_code ignored;
    fs::remove(rest_, ignored);
    for (const CurveKept::Series& series : kept.series) Put(MeansOf(series));
    return Flush();
  }

  void Put(const Column& column) {
    if (column.steps.empty()) return;
    v1::RunFileLine line;
    Fill(column, *line.mutable_points());
    buffer_ += LineOf(line);
    exported_.points += static_cast<int64_t>(column.steps.size());
  }

  absl::Status Flush() {
    std::ofstream out(rest_, std::ios::binary | std::ios::app);
    out << buffer_;
    out.close();
    buffer_.clear();
    return out.good() ? absl::OkStatus() : CannotWrite();
  }

  absl::Status CannotWrite() const {
    return absl::UnavailableError(
        fmt::format("{}: cannot be written: look at the disk's free space and the folder's rights", file_.string()));
  }

  const RunKey key_;
  const fs::path file_, rest_;
  std::unique_ptr<Engine> engine_{new Engine(Engine::Unwatched(Prior::Shipped()))};
  int64_t rewinds_ = 0;
  std::string buffer_;
  ExportedRun exported_;
  bool evicted_ = false;
};

absl::Status ForEach(CompactableJournal& journal, absl::FunctionRef<absl::Status(const Event&)> visit,
                     absl::FunctionRef<bool()> pause) {
  const absl::StatusOr<JournalSize> size = journal.Size();
  if (!size.ok()) return size.status();
  for (int64_t next = 1; next <= size->last_id;) {
    const absl::StatusOr<std::vector<StoredEvent>> piece = journal.Read(next, kPieceBytes);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) break;
    for (const StoredEvent& stored : *piece) {
      next = stored.id + 1;
      if (stored.id > size->last_id) break;
      if (absl::Status status = visit(stored.event); !status.ok()) return status;
    }
    if (!pause()) return absl::CancelledError("the daemon is stopping; ask again, it needs none");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RunKey>> AllRuns(CompactableJournal& journal, absl::FunctionRef<bool()> pause) {
  std::set<RunKey> runs;
  const absl::Status status = ForEach(
      journal,
      [&](const Event& event) {
        runs.insert(event.key);
        return absl::OkStatus();
      },
      pause);
  if (!status.ok()) return status;
  return std::vector<RunKey>(runs.begin(), runs.end());
}

absl::StatusOr<fs::path> FileOf(const RunKey& key, const std::string& directory) {
  // A project may be called as a folder must not be.
  const bool dots = key.project.find_first_not_of('.') == std::string::npos;
  const fs::path folder = fs::path(directory) / (dots ? "_" + key.project : key.project);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(fmt::format("{}: cannot be made ({})", folder.string(), error.message()));
  return folder / (key.run_id + ".jsonl");
}

}  // namespace

absl::StatusOr<std::vector<ExportedRun>> ExportRuns(CompactableJournal& journal, const std::vector<RunKey>& runs,
                                                    const std::string& directory, absl::FunctionRef<bool()> pause) {
  absl::StatusOr<std::vector<RunKey>> wanted = runs;
  if (runs.empty()) wanted = AllRuns(journal, pause);
  if (!wanted.ok()) return wanted.status();
  std::vector<ExportedRun> exported;
  for (size_t from = 0; from < wanted->size(); from += kRunsASweep) {
    std::map<RunKey, std::unique_ptr<RunWriter>> writers;
    for (size_t i = from; i < std::min(wanted->size(), from + kRunsASweep); ++i) {
      absl::StatusOr<fs::path> file = FileOf((*wanted)[i], directory);
      if (!file.ok()) return file.status();
      writers.emplace((*wanted)[i], std::make_unique<RunWriter>((*wanted)[i], *std::move(file)));
    }
    const absl::Status status = ForEach(
        journal,
        [&](const Event& event) {
          const auto writer = writers.find(event.key);
          return writer == writers.end() ? absl::OkStatus() : writer->second->Take(event);
        },
        pause);
    if (!status.ok()) return status;
    for (auto& [key, writer] : writers) {
      if (!writer->opened()) {
        return absl::NotFoundError(fmt::format("no run \"{}\" in project \"{}\"", key.run_id, key.project));
      }
      absl::StatusOr<ExportedRun> run = writer->Finish();
      if (!run.ok()) return run.status();
      exported.push_back(*std::move(run));
    }
  }
  return exported;
}

std::string Describe(const std::vector<ExportedRun>& runs) {
  std::string text;
  for (const ExportedRun& run : runs) {
    text += fmt::format("{}: {}/{}, {} points", run.file, run.key.project, run.key.run_id, run.points);
    if (run.binned > 0) text += fmt::format(", among them the means that are kept of {} raw ones", run.binned);
    text += "\n";
  }
  return text + fmt::format("{} runs are exported\n", runs.size());
}

}  // namespace curvecast
