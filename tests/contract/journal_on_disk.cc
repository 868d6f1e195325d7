#include "tests/contract/journal_on_disk.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "core/ports/memory_journal.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/faulty_disk.h"

namespace curvecast {
namespace {

class JournalInMemory : public JournalOnDisk {
 public:
  CompactableJournal& journal() override { return journal_; }
  void Restart() override { journal_.Crash(); }
  void BreakNextAppend() override { journal_.FailAppend(1, absl::UnavailableError("asked for")); }

 private:
  MemoryJournal journal_;
};

class JournalInSqlite : public JournalOnDisk {
 public:
  explicit JournalInSqlite(FaultyDisk::Fault fault) : fault_(fault) {
    std::string name = std::filesystem::temp_directory_path() / "curvecast_contract_XXXXXX";
    directory_ = mkdtemp(name.data());
    Open();
  }
  ~JournalInSqlite() override {
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }
  CompactableJournal& journal() override { return *journal_; }
  // As if the process had been killed: what goes on is a copy of the files as they lay while the journal was open.
  void Restart() override {
    disk_.Heal();
    const std::filesystem::path old = Store();
    ++life_;
    std::filesystem::copy(old, Store());
    journal_.reset();
    std::filesystem::remove_all(old);
    Open();
  }
  void BreakNextAppend() override { disk_.Fail(fault_, 1, 1); }

 private:
  std::filesystem::path Store() const { return directory_ / std::to_string(life_); }
  void Open() {
    absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::Open(Store());
    ASSERT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  const FaultyDisk::Fault fault_;
  FaultyDisk disk_;
  std::filesystem::path directory_;
  int life_ = 0;
  std::unique_ptr<SqliteJournal> journal_;
};

}  // namespace

std::vector<JournalKind> JournalKinds() {
  auto sqlite = [](FaultyDisk::Fault fault) { return [fault] { return std::make_unique<JournalInSqlite>(fault); }; };
  return {{"Memory", [] { return std::make_unique<JournalInMemory>(); }},
          {"SqliteOnAFullDisk", sqlite(FaultyDisk::Fault::kNoSpace)},
          {"SqliteOnABadDisk", sqlite(FaultyDisk::Fault::kWriteError)},
          {"SqliteOnADiskThatWritesHalf", sqlite(FaultyDisk::Fault::kShortWrite)},
          {"SqliteOnADiskThatDoesNotSync", sqlite(FaultyDisk::Fault::kSyncError)}};
}

std::vector<std::string> Digests(const std::vector<Event>& events) {
  std::vector<std::string> digests;
  for (const Event& event : events) {
    const std::string bytes = EncodeEvent(event);
    digests.push_back(std::to_string(bytes.size()) + " bytes, hash " + std::to_string(std::hash<std::string>()(bytes)));
  }
  return digests;
}

std::vector<Event> Replayed(Journal& journal) {
  std::vector<Event> events;
  const absl::Status status = journal.Replay([&](Event event) {
    events.push_back(std::move(event));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return events;
}

}  // namespace curvecast
