#include <map>
#include <utility>

#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/run_view.h"
#include "client/cli/terminal.h"
#include "client/cli/view_style.h"

namespace curvecast {
namespace {

constexpr char kHomeAndClear[] = "\x1b[H\x1b[J";
constexpr size_t kFramingRows = 3;  // Title line, "and n more", the cursor's line.

// A run's page, fetched anew.
absl::StatusOr<std::string> FetchPage(DaemonClient& daemon, const CommonOptions& common, const RunName& name,
                                      const std::string& metric) {
  const absl::StatusOr<v1::GetRunResponse> run = daemon.GetRun(name);
  if (!run.ok()) return run.status();
  const absl::StatusOr<v1::GetCurveResponse> curve = daemon.GetCurveIfAny(name, metric);
  if (!curve.ok()) return curve.status();
  return RunText(*run, *curve, StyleOf(common));
}

// Shows what changes, on a terminal as a page that is drawn anew, elsewhere as a line for each change.
class Watcher {
 public:
  Watcher(DaemonClient& daemon, const CommonOptions& common, RunName only)
      : daemon_(daemon), common_(common), only_(std::move(only)) {}

  // False when there is nothing left to wait for: the one run has ended.
  bool Take(const v1::WatchRunsResponse& changes) {
    if (common_.output == OutputFormat::kJson) {
      PrintJson(changes, /*one_line=*/true);
    } else if (StdoutSize().columns == 0) {
      for (const v1::RunSummary& run : changes.runs()) Print(NewsText(run));
    } else {
      Draw(changes);
    }
    return only_.run_id.empty() || changes.runs_size() == 0 || changes.runs(0).state() == v1::Run::RUNNING;
  }

 private:
  void Draw(const v1::WatchRunsResponse& changes) {
    if (!only_.run_id.empty()) {
      const absl::StatusOr<std::string> page = FetchPage(daemon_, common_, only_, "");
      if (page.ok()) Print(kHomeAndClear + *page);
      return;
    }
    for (const v1::RunSummary& run : changes.runs()) runs_[{run.run().project(), run.run().run_id()}] = run;
    // Those under way first: they are why one watches.
    std::vector<v1::RunSummary> ordered;
    for (const bool running : {true, false}) {
      for (const auto& [name, run] : runs_) {
        if ((run.state() == v1::Run::RUNNING) == running) ordered.push_back(run);
      }
    }
    ViewStyle style = StyleOf(common_);
    style.max_rows = std::max(StdoutSize().rows, kFramingRows + 1) - kFramingRows;
    Print(kHomeAndClear + RunsText(ordered, style));
  }

  DaemonClient& daemon_;
  const CommonOptions& common_;
  const RunName only_;
  std::map<std::pair<std::string, std::string>, v1::RunSummary> runs_;
};

}  // namespace

ExitCode ListRuns(const CommonOptions& common, const std::string& project) {
  DaemonClient daemon(common.address);
  const absl::StatusOr<v1::ListRunsResponse> runs = daemon.ListRuns(project);
  if (!runs.ok()) return Fail(runs.status());
  if (common.output == OutputFormat::kJson) {
    PrintJson(*runs, /*one_line=*/false);
  } else {
    Print(RunsText({runs->runs().begin(), runs->runs().end()}, StyleOf(common)));
  }
  return ExitCode::kOk;
}

ExitCode ShowRun(const CommonOptions& common, const std::string& run, const std::string& metric) {
  DaemonClient daemon(common.address);
  const absl::StatusOr<RunName> name = daemon.Find(run);
  if (!name.ok()) return Fail(name.status());
  if (common.output == OutputFormat::kJson) {
    const absl::StatusOr<v1::GetRunResponse> answer = daemon.GetRun(*name);
    if (!answer.ok()) return Fail(answer.status());
    PrintJson(*answer, /*one_line=*/false);
    return ExitCode::kOk;
  }
  const absl::StatusOr<std::string> page = FetchPage(daemon, common, *name, metric);
  if (!page.ok()) return Fail(page.status());
  Print(*page);
  return ExitCode::kOk;
}

ExitCode WatchRun(const CommonOptions& common, const std::string& run) {
  DaemonClient daemon(common.address);
  RunName only;
  if (!run.empty()) {
    const absl::StatusOr<RunName> name = daemon.Find(run);
    if (!name.ok()) return Fail(name.status());
    only = *name;
  }
  Watcher watcher(daemon, common, only);
  const absl::Status status =
      daemon.WatchRuns(only, [&](const v1::WatchRunsResponse& changes) { return watcher.Take(changes); });
  return status.ok() ? ExitCode::kOk : Fail(status);
}

}  // namespace curvecast
