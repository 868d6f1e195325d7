#include "daemon/store_commands.h"

#include <filesystem>
#include <iostream>
#include <memory>

#include "daemon/os/command_socket.h"
#include "daemon/store/examination.h"
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
