#include "daemon/store/salvage.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/container/btree_set.h"
#include "core/engine/engine.h"
#include "core/engine/run_compactor.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/gap_ledger.h"
#include "daemon/store/row_scan.h"
#include "daemon/store/sqlite_journal.h"
#include "daemon/store/store_lock.h"
#include "daemon/store/tip_mark.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr size_t kEventsAnAppend = 1024;
constexpr size_t kMostListed = 20;

// Takes rows in order of id, and keeps those that a daemon will be able to replay.
class Sieve {
 public:
  Sieve(Journal& journal, SalvageReport& report) : journal_(journal), report_(report) {}

  // First, of every row: those that it stands for are no loss, and what lies about of them is not to be counted twice.
  void Prepare(const std::string& data) {
    if (!HoldsCurveKept(data)) return;
    const absl::StatusOr<Event> event = DecodeEvent(data);
    if (!event.ok()) return;
    const auto& kept = std::get<CurveKept>(event->body);
    replaced_.insert(replaced_.end(), kept.replaced.begin(), kept.replaced.end());
  }
  void Prepared() { replaced_ = Joined(std::move(replaced_)); }

  void Take(int64_t id, const std::string& data) {
    if (IsReplaced(id)) return;
    Miss(id);
    expected_ = id + 1;
    absl::StatusOr<Event> event = DecodeEvent(data);
    if (!event.ok()) return LeaveOut(id, "an event of unknown form", event.status());
    const RunKey key = event->key;
    const absl::Status fits = Fold(*event);
    if (!fits.ok()) {
      runs_.insert(fmt::format("{}/{}", key.project, key.run_id));
      return LeaveOut(id, fmt::format("of run {}/{}", key.project, key.run_id), fits);
    }
    if (auto* kept = std::get_if<CurveKept>(&event->body)) kept->replaced.clear();  // The new store has no gaps.
    kept_.push_back(*std::move(event));
    ++report_.kept;
    if (kept_.size() >= kEventsAnAppend) Flush();
  }

  absl::Status Finish(int64_t acknowledged) {
    Miss(acknowledged + 1);
    for (const CurveKept::Rows& lost : Lost(gaps_, replaced_)) report_.missing.push_back({lost.first, lost.last});
    report_.runs.assign(runs_.begin(), runs_.end());
    Flush();
    return status_;
  }

 private:
  bool IsReplaced(int64_t id) const {
    const auto after = std::upper_bound(replaced_.begin(), replaced_.end(), id,
                                        [](int64_t at, const CurveKept::Rows& rows) { return at < rows.first; });
    return after != replaced_.begin() && std::prev(after)->last >= id;
  }
  // The ids from expected_ up to `next`.
  void Miss(int64_t next) {
    if (next > expected_) gaps_.push_back({expected_, next - 1});
  }
  absl::Status Fold(const Event& event) {
    const absl::StatusOr<Engine::Effect> effect = engine_.Apply(event);
    if (!effect.ok()) return effect.status();
    // A journal holds no batch twice, so its writer's opening is what is missing.
    return effect->duplicate ? absl::InternalError("a batch of a writer's life whose opening is lost")
                             : absl::OkStatus();
  }
  void LeaveOut(int64_t id, std::string_view what, const absl::Status& why) {
    report_.left_out.push_back(fmt::format("event {}, {}: {}", id, what, std::string(why.message())));
  }
  void Flush() {
    if (status_.ok()) status_ = journal_.Append(kept_);
    kept_.clear();
  }

  Journal& journal_;
  SalvageReport& report_;
  Engine engine_;
  int64_t expected_ = 1;
  std::vector<CurveKept::Rows> gaps_, replaced_;
  std::vector<Event> kept_;
  absl::btree_set<std::string> runs_;
  absl::Status status_;
};

// What the mark says, if it can be read at all: it only adds to what is known to be missing.
int64_t Acknowledged(const std::string& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return 0;
  const absl::StatusOr<TipMark> mark = TipMark::Open(file);
  return mark.ok() ? mark->acknowledged() : 0;
}

}  // namespace

absl::StatusOr<SalvageReport> Salvage(const std::string& from, const std::string& to) {
  std::error_code error;
  const fs::path old = from;
  if (!fs::exists(old / "journal.db", error) && !fs::exists(old / "journal.db-wal", error)) {
    return absl::NotFoundError(fmt::format("{}: there is no store: name its folder (--data-dir)", from));
  }
  if (fs::exists(to, error)) {
    return absl::AlreadyExistsError(fmt::format("{}: is there already, from another salvage?: move it away", to));
  }
  absl::StatusOr<StoreLock> lock = StoreLock::Take(old / "journal.lock");
  if (!lock.ok()) return lock.status();
  absl::StatusOr<RowScan> scan = RowScan::Of(old / "journal.db");
  if (!scan.ok()) return scan.status();
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::Open(to);
  if (!journal.ok()) return journal.status();
  SalvageReport report;
  Sieve sieve(**journal, report);
  scan->ForEach([&](int64_t, const std::string& data) { sieve.Prepare(data); });
  sieve.Prepared();
  scan->ForEach([&](int64_t id, const std::string& data) { sieve.Take(id, data); });
  if (absl::Status status = sieve.Finish(Acknowledged(old / "journal.tip")); !status.ok()) return status;
  return report;
}

std::string Describe(const SalvageReport& report) {
  std::string text = fmt::format("{} events are kept\n", report.kept);
  int64_t lost = 0;
  for (const SalvageReport::Range& range : report.missing) lost += range.last - range.first + 1;
  if (lost == 0 && report.left_out.empty()) return text + "nothing is known to be lost\n";
  if (lost > 0) {
    text += "lost, for they cannot be read:";
    for (size_t i = 0; i < std::min(report.missing.size(), kMostListed); ++i) {
      const SalvageReport::Range& range = report.missing[i];
      text +=
          range.first == range.last ? fmt::format(" {}", range.first) : fmt::format(" {}-{}", range.first, range.last);
    }
    text += fmt::format("{} (in all {})\n", report.missing.size() > kMostListed ? " ..." : "", lost);
  }
  for (size_t i = 0; i < std::min(report.left_out.size(), kMostListed); ++i) text += report.left_out[i] + "\n";
  if (report.left_out.size() > kMostListed) {
    text +=
        fmt::format("... and {} events more that mean nothing without those\n", report.left_out.size() - kMostListed);
  }
  for (size_t i = 0; i < std::min(report.runs.size(), kMostListed); ++i) {
    text += fmt::format("run {} lacks an opening; import it again if you can\n", report.runs[i]);
  }
  return text;
}

}  // namespace curvecast
