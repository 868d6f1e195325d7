#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/backtest/parallel.h"
#include "client/cli/backtest/run_set.h"
#include "client/cli/commands.h"
#include "client/cli/flags/flag_replay.h"
#include "client/cli/flags/flag_view.h"
#include "client/cli/output_file.h"
#include "client/cli/picture/draw_run.h"
#include "client/cli/terminal.h"
#include "client/cli/view_style.h"
#include "client/import/run_file.h"
#include "daemon/convert/flag_convert.h"

namespace curvecast {
namespace {

bool Wanted(const BookedFlag& booked, const FlagsArguments& arguments) {
  if (arguments.active && !booked.flag.active()) return false;
  if (arguments.at_least == "warning") return booked.flag.severity >= Severity::kWarning;
  if (arguments.at_least == "critical") return booked.flag.severity >= Severity::kCritical;
  return true;
}

// As the daemon's GetFlags has it.
v1::RunFlag ToRow(const RunSpec& spec, const BookedFlag& booked) {
  v1::RunFlag row;
  row.set_project(spec.key.project);
  row.set_run_id(spec.key.run_id);
  *row.mutable_flag() = ToProto(booked);
  return row;
}

}  // namespace

ExitCode ReplayFlags(const CommonOptions& common, const FlagsArguments& arguments) {
  std::vector<std::string> files;
  for (const std::string& path : arguments.paths) {
    const absl::StatusOr<std::vector<std::string>> found = FindRunFiles(path);
    if (!found.ok()) return Fail(found.status());
    files.insert(files.end(), found->begin(), found->end());
  }
  if (!arguments.svg.empty() && files.size() != 1) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("--svg draws one run, and there are {} files; name one of them", files.size())));
  }
  FlagReplayOptions options;
  options.watch.mean_points_between_false_alarms = arguments.false_alarms;
  options.picture = !arguments.svg.empty();

  if (!arguments.history_runs.empty()) {
    const absl::StatusOr<RunSet> past = ReadRunSet(arguments.history_runs, arguments.threads, {}, std::cerr);
    if (!past.ok()) return Fail(past.status());
    for (auto& [key, history] : MakeHistories({&*past}, Prior::Shipped(), arguments.threads)) {
      auto known = std::make_shared<ProjectPast>();
      known->history = std::move(history);
      options.pasts[key] = std::move(known);
    }
  }

  // Each file's flags as soon as all before it are there, so that a folder of thousands of runs takes no memory.
  ExitCode code = ExitCode::kOk;
  std::vector<v1::RunFlag> rows;
  const auto tell = [&](const std::string& file, const absl::StatusOr<FlagReplay>& replay) {
    const absl::Status fault = replay.ok() ? replay->fault : replay.status();
    if (!fault.ok()) {
      Complain(std::string(fault.message()));
      code = ExitCode::kInputRefused;
    }
    if (!replay.ok()) return;
    for (const BookedFlag& booked : replay->flags) {
      if (!Wanted(booked, arguments)) continue;
      v1::RunFlag row = ToRow(replay->spec, booked);
      if (common.output == OutputFormat::kTable) {
        rows.push_back(std::move(row));
      } else {
        row.set_file(file);
        PrintJson(row, /*one_line=*/true);
      }
    }
  };
  constexpr size_t kAtOnce = 256;
  for (size_t first = 0; first < files.size(); first += kAtOnce) {
    const size_t n = std::min(kAtOnce, files.size() - first);
    std::vector<std::optional<absl::StatusOr<FlagReplay>>> replays(n);
    ForEach(n, arguments.threads, {},
            [&](size_t i) { replays[i] = ReplayFlagsOf(files[first + i], Prior::Shipped(), options); });
    for (size_t i = 0; i < n; ++i) tell(files[first + i], *replays[i]);
    if (options.picture && replays[0]->ok()) {
      const absl::Status written = WriteOutput(arguments.svg, DrawRun(*(*replays[0])->picture));
      if (!written.ok()) return Fail(written);
    }
  }
  if (common.output == OutputFormat::kTable && arguments.svg != "-") Print(FlagTableText(rows, StyleOf(common)));
  return code;
}

}  // namespace curvecast
