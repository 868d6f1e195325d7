#include <fmt/format.h>

#include <chrono>

#include "client/cli/commands.h"
#include "client/cli/terminal.h"
#include "client/cli/uploader.h"
#include "client/import/run_file.h"
#include "google/protobuf/struct.pb.h"

namespace curvecast {
namespace {

constexpr size_t kMaxComplaints = 20;  // On stderr; JSON has them all.

struct Outcome {
  size_t files = 0;
  std::vector<std::string> faults;  // Of the files, with their lines.
  Uploader::Summary sent;
};

void PrintOutcome(const CommonOptions& common, const Outcome& outcome, double seconds) {
  std::vector<std::string> refused = outcome.faults;
  refused.insert(refused.end(), outcome.sent.refused.begin(), outcome.sent.refused.end());
  if (common.output == OutputFormat::kJson) {
    google::protobuf::Struct json;
    auto& fields = *json.mutable_fields();
    fields["files"].set_number_value(static_cast<double>(outcome.files));
    fields["runs"].set_number_value(static_cast<double>(outcome.sent.runs));
    fields["points"].set_number_value(static_cast<double>(outcome.sent.points));
    fields["refusedPoints"].set_number_value(static_cast<double>(outcome.sent.refused_points));
    fields["seconds"].set_number_value(seconds);
    auto& list = *fields["refused"].mutable_list_value();
    for (const std::string& text : refused) list.add_values()->set_string_value(text);
    return PrintJson(json, /*one_line=*/false);
  }
  for (size_t i = 0; i < std::min(refused.size(), kMaxComplaints); ++i) Complain(refused[i]);
  if (refused.size() > kMaxComplaints) Complain(fmt::format("and {} more", refused.size() - kMaxComplaints));
  Print(fmt::format("{} files: {} runs, {} points taken, {} points refused, {} faults; {:.1f} s\n", outcome.files,
                    outcome.sent.runs, outcome.sent.points, outcome.sent.refused_points, refused.size(), seconds));
}

}  // namespace

ExitCode Import(const CommonOptions& common, const std::vector<std::string>& paths) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<std::string>> found = FindRunFiles(path);
    if (!found.ok()) return Fail(found.status());
    files.insert(files.end(), found->begin(), found->end());
  }
  Outcome outcome;
  Uploader uploader(common.address);
  for (const std::string& file : files) {
    ++outcome.files;
    const absl::StatusOr<ReadRun> run = ReadRunFile(file);
    const absl::Status fault = run.ok() ? run->error : run.status();
    if (!fault.ok()) outcome.faults.emplace_back(fault.message().data(), fault.message().size());
    if (!run.ok()) continue;
    if (const absl::Status status = uploader.Send(*run, file); !status.ok()) return Fail(status);
  }
  const absl::StatusOr<Uploader::Summary> sent = uploader.Finish();
  if (!sent.ok()) return Fail(sent.status());
  outcome.sent = *sent;
  PrintOutcome(common, outcome, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return outcome.faults.empty() && outcome.sent.refused.empty() ? ExitCode::kOk : ExitCode::kInputRefused;
}

}  // namespace curvecast
