#include <algorithm>
#include <cctype>
#include <charconv>

#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/forecast_view.h"
#include "client/cli/terminal.h"

namespace curvecast {
namespace {

v1::ForecastRunRequest Request(const RunName& name, const ForecastOptions& options) {
  v1::ForecastRunRequest request;
  request.set_project(name.project);
  request.set_run_id(name.run_id);
  if (options.total_steps) request.set_total_steps(*options.total_steps);
  if (options.final_lr) request.set_final_lr(*options.final_lr);
  if (!options.decay.empty()) {
    std::string called = options.decay;
    std::transform(called.begin(), called.end(), called.begin(),
                   [](char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    v1::Schedule::Decay decay = v1::Schedule::NONE;
    v1::Schedule::Decay_Parse(called, &decay);
    request.set_decay(decay);
  }
  int64_t start = 0;
  const std::string& from = options.decay_from;
  if (std::from_chars(from.data(), from.data() + from.size(), start).ec == std::errc()) {
    request.set_decay_start_step(start);  // Otherwise it is "now", as without it.
  }
  return request;
}

}  // namespace

ExitCode ForecastRun(const CommonOptions& common, const std::string& run, const ForecastOptions& options) {
  DaemonClient daemon(common.address);
  const absl::StatusOr<RunName> name = daemon.Find(run);
  if (!name.ok()) return Fail(name.status());
  const absl::StatusOr<v1::ForecastRunResponse> answer = daemon.ForecastRun(Request(*name, options));
  if (!answer.ok()) return Fail(answer.status());
  if (common.output == OutputFormat::kJson) {
    PrintJson(*answer, /*one_line=*/false);
    return ExitCode::kOk;
  }
  const absl::StatusOr<v1::GetRunResponse> summary = daemon.GetRun(*name);
  if (!summary.ok()) return Fail(summary.status());
  const absl::StatusOr<v1::GetCurveResponse> curve = daemon.GetCurve(*name, "");
  if (!curve.ok()) return Fail(curve.status());
  ViewStyle style;
  style.width = StdoutSize().columns;
  style.ascii = common.ascii;
  Print(ForecastPage(summary->run(), *answer, *curve, style));
  return ExitCode::kOk;
}

}  // namespace curvecast
