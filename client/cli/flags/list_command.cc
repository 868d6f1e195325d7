#include <algorithm>

#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/flags/flag_view.h"
#include "client/cli/terminal.h"
#include "client/cli/view_style.h"

namespace curvecast {
namespace {

v1::Flag::Severity ToSeverity(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c + ('A' - 'a')) : c; });
  v1::Flag::Severity severity = v1::Flag::SEVERITY_UNSPECIFIED;
  v1::Flag::Severity_Parse(name, &severity);
  return severity;
}

}  // namespace

ExitCode ListFlags(const CommonOptions& common, const FlagsArguments& arguments) {
  DaemonClient daemon(common.address);
  v1::GetFlagsRequest request;
  request.set_project(arguments.project);
  request.set_active_only(arguments.active);
  request.set_at_least(ToSeverity(arguments.at_least));
  if (!arguments.run.empty()) {
    const absl::StatusOr<RunName> name = daemon.Find(arguments.run);
    if (!name.ok()) return Fail(name.status());
    request.set_project(name->project);
    request.set_run_id(name->run_id);
  }
  const absl::StatusOr<v1::GetFlagsResponse> flags = daemon.GetFlags(request);
  if (!flags.ok()) return Fail(flags.status());
  if (common.output == OutputFormat::kJson) {
    PrintJson(*flags, /*one_line=*/false);
  } else {
    Print(FlagTableText({flags->flags().begin(), flags->flags().end()}, StyleOf(common)));
  }
  return ExitCode::kOk;
}

}  // namespace curvecast
