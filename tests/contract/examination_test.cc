#include "daemon/store/examination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ExaminationTest : public testing::Test {
 protected:
  ExaminationTest() {
    std::string name = fs::temp_directory_path() / "curvecast_examination_XXXXXX";
    directory_ = mkdtemp(name.data());
    fs::remove(directory_);
  }
  ~ExaminationTest() override { fs::remove_all(directory_); }

  std::unique_ptr<SqliteJournal> MakeStore() const {
    auto journal = SqliteJournal::Open(directory_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    EXPECT_TRUE((*journal)->Append(EventsOfEveryKind()).ok());
    return *std::move(journal);
  }

  fs::path directory_;
};

TEST_F(ExaminationTest, SaysWhatIsInAStore) {
  MakeStore();
  const Examination examination = Examine(directory_);
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text, AllOf(HasSubstr("journal.db "), HasSubstr("10 events with 3206 points of 2 runs"),
                                      HasSubstr("from 2023-11-14 22:13:20 UTC")));
}

TEST_F(ExaminationTest, SaysHowManyPointsCurvesStandFor) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(FinishedRun(20)).ok());
    ASSERT_TRUE((*journal)->Replace(ReplacementOf(FinishedRunKey(), **journal)).ok());
  }
  const Examination examination = Examine(directory_);
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text, AllOf(HasSubstr("29 events with 20 points of 2 runs, format 2"),
                                      HasSubstr("1 curves stand for 4000 points more")));
}

TEST_F(ExaminationTest, LeavesTheLogOfAKilledDaemonAlone) {
  const auto journal = MakeStore();
  const fs::path copy = directory_ / "copy";
  fs::create_directory(copy);
  for (const char* name : {"journal.db", "journal.db-wal"}) fs::copy(directory_ / name, copy / name);
  const auto log_bytes = fs::file_size(copy / "journal.db-wal");
  EXPECT_TRUE(Examine(copy).verdict.ok());
  EXPECT_EQ(fs::file_size(copy / "journal.db-wal"), log_bytes);
}

TEST_F(ExaminationTest, SaysWhatCanStillBeReadOfADamagedOne) {
  MakeStore();
  std::fstream file(directory_ / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(47) << 'x';
  file.close();
  const Examination examination = Examine(directory_);
  EXPECT_TRUE(absl::IsDataLoss(examination.verdict)) << examination.verdict;
  EXPECT_THAT(examination.text, HasSubstr("10 events can still be read"));
}

TEST_F(ExaminationTest, NamesTheDaemonThatHasItAndMakesNoStoreWhereNoneIs) {
  EXPECT_TRUE(absl::IsNotFound(Examine(directory_).verdict));
  EXPECT_FALSE(fs::exists(directory_));
  const auto journal = MakeStore();
  const Examination examination = Examine(directory_);
  EXPECT_THAT(std::string(examination.verdict.message()), HasSubstr("in use by process"));
}

}  // namespace
}  // namespace curvecast
