#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/duration.h"
#include "client/cli/flags/flag_view.h"
#include "client/cli/terminal.h"
#include "client/cli/view_style.h"

// What people do with a flag.
namespace curvecast {
namespace {

template <typename Request>
absl::StatusOr<Request> ToRequest(DaemonClient& daemon, const FlagAnswer& answer) {
  if (answer.by.empty()) {
    return absl::InvalidArgumentError("it is not known who you are: $USER is not set; say it with --by NAME");
  }
  const absl::StatusOr<RunName> name = daemon.Find(answer.run);
  if (!name.ok()) return name.status();
  Request request;
  request.set_project(name->project);
  request.set_run_id(name->run_id);
  request.set_number(answer.number);
  request.set_by(answer.by);
  request.set_note(answer.note);
  return request;
}

template <typename Request>
std::string RunOf(const Request& request) {
  return request.project() + "/" + request.run_id();
}

}  // namespace

ExitCode AcknowledgeFlag(const CommonOptions& common, const FlagAnswer& answer) {
  DaemonClient daemon(common.address);
  const auto request = ToRequest<v1::AcknowledgeFlagRequest>(daemon, answer);
  if (!request.ok()) return Fail(request.status());
  const absl::StatusOr<v1::Flag> flag = daemon.AcknowledgeFlag(*request);
  if (!flag.ok()) return Fail(flag.status());
  if (common.output == OutputFormat::kJson) {
    PrintJson(*flag, /*one_line=*/false);
  } else {
    Print(AcknowledgedText(RunOf(*request), *flag));
  }
  return ExitCode::kOk;
}

ExitCode SilenceFlag(const CommonOptions& common, const FlagAnswer& answer, const std::string& duration) {
  const absl::StatusOr<double> seconds = ParseDuration(duration);
  if (!seconds.ok()) return Fail(seconds.status());
  DaemonClient daemon(common.address);
  auto request = ToRequest<v1::SilenceFlagRequest>(daemon, answer);
  if (!request.ok()) return Fail(request.status());
  request->set_seconds(*seconds);
  const absl::StatusOr<v1::Flag> flag = daemon.SilenceFlag(*request);
  if (!flag.ok()) return Fail(flag.status());
  if (common.output == OutputFormat::kJson) {
    PrintJson(*flag, /*one_line=*/false);
  } else {
    Print(SilencedText(RunOf(*request), *flag, StyleOf(common).now_unix_seconds));
  }
  return ExitCode::kOk;
}

}  // namespace curvecast
