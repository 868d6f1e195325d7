#include <cmath>
#include <map>

#include "client/cli/commands.h"
#include "client/cli/daemon_client.h"
#include "client/cli/laws/project_laws.h"
#include "client/cli/terminal.h"
#include "client/import/run_file.h"
#include "daemon/convert/run_convert.h"

namespace curvecast {
namespace {

using Projects = std::map<std::string, ProjectRuns>;

ProjectRuns& Of(Projects& projects, const std::string& name) { return projects.try_emplace(name, name).first->second; }

absl::Status AddFile(const std::string& path, Projects& projects) {
  const absl::StatusOr<ReadRun> read = ReadRunFile(path);
  if (!read.ok()) return read.status();
  const absl::StatusOr<RunSpec> spec = ToRunSpec(read->run);
  if (!spec.ok()) return absl::InvalidArgumentError(path + ": " + std::string(spec.status().message()));
  const v1::Points points = SurvivingPoints(*read, spec->objective);
  ObjectiveCurve curve;
  curve.steps.assign(points.step().begin(), points.step().end());
  curve.values.assign(points.value().begin(), points.value().end());
  Of(projects, spec->key.project).Add(*spec, curve);
  return read->error;
}

// A file at fault is named, and counts up to the fault. The exit code says whether there was one.
absl::StatusOr<ExitCode> AddFiles(const std::vector<std::string>& paths, Projects& projects) {
  ExitCode code = ExitCode::kOk;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<std::string>> files = FindRunFiles(path);
    if (!files.ok()) return files.status();
    for (const std::string& file : *files) {
      const absl::Status status = AddFile(file, projects);
      if (status.ok()) continue;
      Complain(std::string(status.message()));
      code = ExitCode::kInputRefused;
    }
  }
  return code;
}

// The curve as the daemon keeps it. A run without a point has none, which is no error.
absl::StatusOr<ObjectiveCurve> Fetch(DaemonClient& daemon, const v1::RunSummary& run) {
  ObjectiveCurve curve;
  const auto answer = daemon.GetCurve({run.run().project(), run.run().run_id()}, "");
  if (absl::IsNotFound(answer.status())) return curve;
  if (!answer.ok()) return answer.status();
  curve.steps.assign(answer->step().begin(), answer->step().end());
  curve.values.assign(answer->value().begin(), answer->value().end());
  curve.counts.assign(answer->count().begin(), answer->count().end());
  if (run.has_value() && !std::isfinite(run.value())) {  // No bin holds it, and a run that ends so has no final loss.
    curve.steps.push_back(static_cast<double>(run.step()));
    curve.values.push_back(run.value());
    curve.counts.push_back(1);
  }
  return curve;
}

absl::Status AddFromDaemon(const std::string& address, const std::string& project, Projects& projects) {
  DaemonClient daemon(address);
  const absl::StatusOr<v1::ListRunsResponse> runs = daemon.ListRuns(project);
  if (!runs.ok()) return runs.status();
  if (runs->runs().empty()) {
    return absl::NotFoundError("the daemon has no run of a project \"" + project +
                               "\"; `curvecast runs` lists those it has");
  }
  for (const v1::RunSummary& run : runs->runs()) {
    if (run.state() == v1::Run::RUNNING) continue;
    const absl::StatusOr<RunSpec> spec = ToRunSpec(run.run());
    if (!spec.ok()) return absl::InternalError("the daemon's answer: " + std::string(spec.status().message()));
    const absl::StatusOr<ObjectiveCurve> curve = Fetch(daemon, run);
    if (!curve.ok()) return curve.status();
    Of(projects, project).Add(*spec, *curve);
  }
  Of(projects, project);  // There, though no run of it is over.
  return absl::OkStatus();
}

}  // namespace

ExitCode Laws(const CommonOptions& common, const LawsArguments& arguments) {
  if (arguments.project.empty() == arguments.files.empty()) {
    return Fail(
        absl::InvalidArgumentError("give either PROJECT, of which the daemon is asked, or --runs with run files"));
  }
  Projects projects;
  ExitCode code = ExitCode::kOk;
  if (arguments.files.empty()) {
    if (const absl::Status status = AddFromDaemon(common.address, arguments.project, projects); !status.ok()) {
      return Fail(status);
    }
  } else {
    const absl::StatusOr<ExitCode> read = AddFiles(arguments.files, projects);
    if (!read.ok()) return Fail(read.status());
    code = *read;
  }
  google::protobuf::Struct json;
  auto& list = *(*json.mutable_fields())["projects"].mutable_list_value();
  std::string text;
  size_t runs = 0;
  for (const auto& [name, project] : projects) {
    const absl::StatusOr<ProjectLaws> laws = FitProjectLaws(project, arguments.check);
    if (!laws.ok()) {
      Complain(name + ": " + std::string(laws.status().message()));
      code = ExitCode::kInputRefused;
      continue;
    }
    runs += laws->runs;
    *list.add_values()->mutable_struct_value() = LawsJson(*laws);
    text += (text.empty() ? "" : "\n") + LawsText(*laws, common.ascii);
  }
  if (common.output == OutputFormat::kJson) {
    PrintJson(json, /*one_line=*/false);
  } else {
    Print(text);
  }
  if (runs > 0) return code;
  Complain("no finished run was found; the laws need runs that reached 97 % of their totalSteps");
  return code == ExitCode::kOk ? ExitCode::kFailed : code;
}

}  // namespace curvecast
