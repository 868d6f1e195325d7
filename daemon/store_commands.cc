#include "daemon/store_commands.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_split.h"
#include "daemon/os/command_socket.h"
#include "daemon/store/examination.h"
#include "daemon/store/run_export.h"
#include "daemon/store/salvage.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

absl::Status BackUpStopped(const std::string& store, const std::string& to) {
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::OpenToLook(store);
  if (!journal.ok()) return journal.status();
  return (*journal)->BackUp(to);
}

constexpr const char* kListName = "exported.txt";  // In the folder of an export: what is in it.

constexpr size_t kMostCommandBytes = 60'000;  // That CommandSocket takes.

absl::StatusOr<RunKey> ParseRun(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == text.size()) {
    return absl::InvalidArgumentError(fmt::format("\"{}\" is no run; write project/run_id", text));
  }
  return RunKey{text.substr(0, slash), text.substr(slash + 1)};
}

absl::Status ExportStopped(const std::string& store, const std::string& command) {
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::OpenToLook(store);
  if (!journal.ok()) return journal.status();
  return ExportOnCommand(command, **journal, [] { return true; });
}

}  // namespace

absl::Status DoctorStore(const std::string& store, const WatchOptions& watch) {
  const Examination examination = Examine(store, watch);
  std::cout << examination.text;
  if (examination.verdict.ok()) std::cout << "it is in order: a daemon can start on it\n";
  return examination.verdict;
}

absl::Status BackUpStore(const std::string& store, const std::string& to) {
  const std::string target = std::filesystem::absolute(to);  // The daemon may live in another folder.
  if (target.find('\n') != std::string::npos) return absl::InvalidArgumentError("backup: a folder without line breaks");
  absl::Status status = CommandSocket::Give(store, "backup " + target);
  if (absl::IsNotFound(status)) status = BackUpStopped(store, target);
  if (!status.ok()) return status;
  const Examination copy = Examine(target, {});  // No snapshot goes along.
  std::cout << copy.text;
  if (copy.verdict.ok()) std::cout << "backed up, read, and in order: a daemon can start on it\n";
  return copy.verdict;
}

absl::Status ExportOnCommand(const std::string& command, CompactableJournal& journal, absl::FunctionRef<bool()> pause) {
  // A folder, and behind tabs the runs.
  const std::vector<std::string> parts = absl::StrSplit(command, '\t');
  std::vector<RunKey> runs;
  for (size_t i = 1; i < parts.size(); ++i) {
    absl::StatusOr<RunKey> run = ParseRun(parts[i]);
    if (!run.ok()) return run.status();
    runs.push_back(*std::move(run));
  }
  const absl::StatusOr<std::vector<ExportedRun>> exported = ExportRuns(journal, runs, parts[0], pause);
  if (!exported.ok()) return exported.status();
  const std::filesystem::path folder = parts[0];
  std::ofstream list(folder / kListName, std::ios::binary | std::ios::trunc);
  list << Describe(*exported);
  list.close();
  return list.good() ? absl::OkStatus() : absl::UnavailableError(parts[0] + ": cannot be written");
}

absl::Status ExportStore(const std::string& store, const std::string& to, const std::vector<std::string>& runs) {
  std::string command = std::filesystem::absolute(to);
  if (command.find_first_of("\n\t") != std::string::npos) {
    return absl::InvalidArgumentError("export: a folder without line breaks and tabs");
  }
  for (const std::string& run : runs) {
    if (absl::Status status = ParseRun(run).status(); !status.ok()) return status;
    command += "\t" + run;
  }
  if (command.size() > kMostCommandBytes) {
    return absl::InvalidArgumentError("export: too many runs; name fewer, or none for all of them");
  }
  absl::Status status = CommandSocket::Give(store, "export " + command);
  if (absl::IsNotFound(status)) {
    // No daemon, or a daemon that has no such run: then the store is in use.
    const absl::Status stopped = ExportStopped(store, command);
    if (!absl::IsUnavailable(stopped)) status = stopped;
  }
  if (!status.ok()) return status;
  const std::filesystem::path folder = to;
  std::cout << std::ifstream(folder / kListName, std::ios::binary).rdbuf();
  return absl::OkStatus();
}

absl::Status SalvageStore(const std::string& store) {
  // Without the slash that may end it.
  const std::filesystem::path folder = std::filesystem::absolute(store + "/.").lexically_normal().parent_path();
  const std::string to = folder.string() + ".salvaged";
  absl::StatusOr<SalvageReport> report = Salvage(store, to);
  if (!report.ok()) return report.status();
  std::cout << Describe(*report)
            << fmt::format("{} is as it was; the new store is {}: start curvecastd with --data-dir {}\n", store, to,
                           to);
  return absl::OkStatus();
}

}  // namespace curvecast
