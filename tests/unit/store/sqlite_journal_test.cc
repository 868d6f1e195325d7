#include "daemon/store/sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/store/sqlite_handle.h"
#include "tests/contract/faulty_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteJournalTest : public testing::Test {
 protected:
  SqliteJournalTest() {
    std::string name = fs::temp_directory_path() / "curvecast_store_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SqliteJournalTest() override { fs::remove_all(directory_); }

  static size_t Count(SqliteJournal& journal) {
    size_t count = 0;
    const absl::Status status = journal.Replay([&](const Event&) {
      ++count;
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return count;
  }

  // Of a journal that is closed.
  void Sql(const std::string& sql) const {
    auto database = SqliteDatabase::Open(directory_ / "journal.db", SqliteDatabase::IfMissing::kCreate);
    ASSERT_TRUE(database.ok()) << database.status();
    const absl::Status status = database->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string Refusal(absl::StatusCode code) const {
    auto journal = SqliteJournal::Open(directory_);
    EXPECT_EQ(journal.status().code(), code) << journal.status();
    return journal.status().ToString();
  }

  fs::path directory_;
};

TEST_F(SqliteJournalTest, MakesItsFolder) {
  auto journal = SqliteJournal::Open(directory_ / "a" / "b");
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_TRUE(fs::exists(directory_ / "a" / "b" / "journal.db"));
}

TEST_F(SqliteJournalTest, FindsItsEventsAgain) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(EventsOfEveryKind()).ok());
  }
  auto journal = SqliteJournal::Open(directory_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(Count(**journal), EventsOfEveryKind().size());
}

TEST_F(SqliteJournalTest, LeavesOneFileAndItsLockAndMarkWhenItIsClosed) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append({BatchOf(1, 0, 64)}).ok());
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory_)) names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("journal.db", "journal.lock", "journal.tip"));
}

TEST_F(SqliteJournalTest, RefusesASecondDaemonAndNamesTheFirst) {
  auto first = SqliteJournal::Open(directory_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Refusal(absl::StatusCode::kUnavailable),
              AllOf(HasSubstr("in use by process " + std::to_string(getpid())), HasSubstr("store.directory")));
  first->reset();
  EXPECT_TRUE(SqliteJournal::Open(directory_).ok());
}

TEST_F(SqliteJournalTest, RefusesAFileThatAnotherProgramHasOpen) {
  ASSERT_TRUE(SqliteJournal::Open(directory_).ok());
  auto other = SqliteDatabase::Open(directory_ / "journal.db", SqliteDatabase::IfMissing::kFail);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(other->Execute("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE").ok());
  EXPECT_THAT(Refusal(absl::StatusCode::kUnavailable), HasSubstr("another program has the file open"));
}

TEST_F(SqliteJournalTest, RefusesTheJournalOfANewerVersion) {
  ASSERT_TRUE(SqliteJournal::Open(directory_).ok());
  Sql("PRAGMA user_version=3");
  EXPECT_THAT(Refusal(absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr("newer curvecast"), HasSubstr("format 3; this one reads up to 2")));
}

TEST_F(SqliteJournalTest, RefusesAndLeavesAloneTheDatabaseOfAnotherProgram) {
  Sql("CREATE TABLE recipes(name); INSERT INTO recipes VALUES('soup')");
  EXPECT_THAT(Refusal(absl::StatusCode::kFailedPrecondition), HasSubstr("no journal of curvecast"));
  auto database = SqliteDatabase::Open(directory_ / "journal.db", SqliteDatabase::IfMissing::kFail);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ(*database->QueryInteger("SELECT count(*) FROM recipes"), 1);
  auto mode = database->Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.ok() && mode->Step().ok());
  EXPECT_EQ(mode->Bytes(0), "delete");
}

TEST_F(SqliteJournalTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(directory_ / "journal.db") << std::string(8192, 'x');
  EXPECT_THAT(Refusal(absl::StatusCode::kDataLoss), HasSubstr("journal.db"));
}

TEST_F(SqliteJournalTest, TakesAnEmptyFileForWhatItIsNot) {
  std::ofstream(directory_ / "journal.db") << "";
  EXPECT_THAT(Refusal(absl::StatusCode::kFailedPrecondition), HasSubstr("no journal of curvecast"));
}

TEST_F(SqliteJournalTest, DoesNotStartAnewBesideTheLogOfALostFile) {
  std::ofstream(directory_ / "journal.db-wal") << "x";
  EXPECT_THAT(Refusal(absl::StatusCode::kDataLoss), HasSubstr("missing"));
}

TEST_F(SqliteJournalTest, StartsAnewAfterAKillWhileItWasMade) {
  std::ofstream(directory_ / "journal.db.new") << std::string(5000, 'x');
  std::ofstream(directory_ / "journal.db.new-journal") << std::string(100, 'x');
  EXPECT_TRUE(SqliteJournal::Open(directory_).ok());
  EXPECT_FALSE(fs::exists(directory_ / "journal.db.new"));
}

TEST_F(SqliteJournalTest, RefusesAJournalThatLostItsNewestEvents) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(EventsOfEveryKind()).ok());
  }
  Sql("UPDATE tip SET last_event = 12");
  EXPECT_THAT(Refusal(absl::StatusCode::kDataLoss), HasSubstr("should end with event 12 and ends with event 10"));
}

TEST_F(SqliteJournalTest, NamesARowThatIsMissing) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(EventsOfEveryKind()).ok());
  }
  Sql("DELETE FROM event WHERE id = 4");
  auto journal = SqliteJournal::Open(directory_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_THAT((*journal)->Replay([](const Event&) { return absl::OkStatus(); }).ToString(),
              AllOf(HasSubstr("DATA_LOSS"), HasSubstr("row 4 of table event: missing")));
}

TEST_F(SqliteJournalTest, SaysSoIfItsFolderIsAFile) {
  std::ofstream(directory_ / "file") << "x";
  auto journal = SqliteJournal::Open(directory_ / "file");
  EXPECT_EQ(journal.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(journal.status().ToString(), HasSubstr("store.directory"));
  EXPECT_EQ(SqliteJournal::Open("").status().code(), absl::StatusCode::kInvalidArgument);
}

// Root may write everywhere, so these drop its rights for a while.
class Unprivileged {
 public:
  Unprivileged() {
    if (geteuid() == 0) dropped_ = seteuid(65534) == 0;
  }
  ~Unprivileged() {
    if (dropped_ && seteuid(0) != 0) std::abort();
  }

 private:
  bool dropped_ = false;
};

TEST_F(SqliteJournalTest, SaysWhatToDoAboutAFolderThatIsNotItsOwn) {
  chmod(directory_.c_str(), 0555);
  {
    const Unprivileged unprivileged;
    EXPECT_THAT(Refusal(absl::StatusCode::kPermissionDenied),
                AllOf(HasSubstr("Permission denied"), HasSubstr("store.directory")));
  }
  chmod(directory_.c_str(), 0755);
}

TEST_F(SqliteJournalTest, SaysWhatToDoAboutAFileThatIsNotItsOwn) {
  ASSERT_TRUE(SqliteJournal::Open(directory_).ok());
  chmod(directory_.c_str(), 0777);
  chmod((directory_ / "journal.lock").c_str(), 0666);
  chmod((directory_ / "journal.db").c_str(), 0444);
  const Unprivileged unprivileged;
  EXPECT_THAT(Refusal(absl::StatusCode::kPermissionDenied), HasSubstr("cannot be written"));
}

TEST_F(SqliteJournalTest, SaysThatTheDiskIsFullAndGoesOnWhenItIsNot) {
  FaultyDisk disk;
  auto journal = SqliteJournal::Open(directory_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  disk.Fail(FaultyDisk::Fault::kNoSpace, 1, 1'000'000);
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = (*journal)->Append({BatchOf(1, 0, 64)});
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("free some space"));
  }
  disk.Heal();
  EXPECT_TRUE((*journal)->Append({BatchOf(1, 0, 64)}).ok());
  EXPECT_EQ(Count(**journal), 1);
}

TEST_F(SqliteJournalTest, KeepsItsPromiseWhereverADiskFails) {
  using Fault = FaultyDisk::Fault;
  for (const Fault fault : {Fault::kNoSpace, Fault::kWriteError, Fault::kSyncError}) {
    FaultyDisk disk;
    const fs::path store = directory_ / std::to_string(static_cast<int>(fault));
    auto journal = SqliteJournal::Open(store);
    ASSERT_TRUE(journal.ok()) << journal.status();
    uint64_t appended = 0;
    for (int64_t n = 1; n <= 12; ++n) {
      disk.Fail(fault, n, 1 + n % 3);
      for (int i = 0; i < 12; ++i) {
        if ((*journal)->Append({BatchOf(appended + 1, 0, 500)}).ok()) ++appended;
      }
      EXPECT_GT(disk.struck(), 0);
    }
    disk.Heal();
    EXPECT_EQ(Count(**journal), appended);
    journal->reset();
    journal = SqliteJournal::Open(store);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(Count(**journal), appended);
    journal->reset();
  }
}

}  // namespace
}  // namespace curvecast
