#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/output_file.h"
#include "client/cli/picture/draw_run.h"
#include "client/cli/picture/picture_of_answers.h"
#include "client/cli/terminal.h"
#include "client/cli/view_style.h"

namespace curvecast {

ExitCode DrawRunPicture(const CommonOptions& common, const std::string& run, const std::string& metric,
                        const std::string& svg) {
  DaemonClient daemon(common.address);
  const absl::StatusOr<RunName> name = daemon.Find(run);
  if (!name.ok()) return Fail(name.status());
  const absl::StatusOr<v1::GetRunResponse> answer = daemon.GetRun(*name);
  if (!answer.ok()) return Fail(answer.status());
  const absl::StatusOr<v1::GetCurveResponse> curve = daemon.GetCurveIfAny(*name, metric);
  if (!curve.ok()) return Fail(curve.status());
  const int64_t now = StyleOf(common).now_unix_seconds;
  const absl::Status written = WriteOutput(svg, DrawRun(PictureOf(*answer, *curve, now)));
  return written.ok() ? ExitCode::kOk : Fail(written);
}

}  // namespace curvecast
