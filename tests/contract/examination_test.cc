#include "daemon/store/examination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "daemon/store/snapshot_file.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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
  const Examination examination = Examine(directory_, {});
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text, AllOf(HasSubstr("journal.db "), HasSubstr("10 events with 3206 points of 2 runs"),
                                      HasSubstr("from 2023-11-14 22:13:20 UTC")));
}

TEST_F(ExaminationTest, HoldsASnapshotAgainstWhatTheEventsMake) {
  auto journal = MakeStore();
  EXPECT_THAT(Examine(directory_ / "nowhere", {}).text, Not(HasSubstr("snapshot")));
  Engine engine;
  ASSERT_TRUE(journal->Replay([&](const Event& event) { return engine.Apply(event).status(); }).ok());
  const auto write = [&](const Engine& of) {
    SnapshotFile file(directory_);
    auto writing = file.Write({*journal->Newest(), of.settings()});
    ASSERT_TRUE(writing.ok()) << writing.status();
    ASSERT_TRUE((*writing)->Add(of.State()).ok());
    ASSERT_TRUE((*writing)->Finish().ok());
  };
  const auto examine = [&](const WatchOptions& watch) {
    journal = nullptr;
    Examination examination = Examine(directory_, watch);
    journal = *SqliteJournal::Open(directory_);
    return examination;
  };
  EXPECT_THAT(examine({}).text, HasSubstr("no snapshot"));
  write(engine);
  EXPECT_THAT(examine({}).text, HasSubstr("a snapshot of the first 10 events: a start reads 0"));
  WatchOptions watch;
  watch.silent_after_seconds = 7;
  EXPECT_THAT(examine(watch).text, HasSubstr("not used, a start reads all events"));
  EXPECT_TRUE(examine(watch).verdict.ok());
  // A mistake of ours in what is written.
  Event opened = EventsOfEveryKind().front();
  opened.key.run_id = std::get<RunOpened>(opened.body).spec.key.run_id = "of_no_event";
  ASSERT_TRUE(engine.Apply(opened).ok());
  write(engine);
  EXPECT_TRUE(absl::IsInternal(examine({}).verdict)) << examine({}).verdict;
}

TEST_F(ExaminationTest, SaysHowManyRunsWereEvicted) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(FinishedRun(3)).ok());
    ASSERT_TRUE((*journal)->Append({Event{3, FinishedRunKey(), RunEvicted{2}}}).ok());
  }
  const Examination examination = Examine(directory_, {});
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text,
              AllOf(HasSubstr(" of 1 runs, format 2"), HasSubstr("1 runs that were over are held no more")));
}

TEST_F(ExaminationTest, SaysHowManyPointsCurvesStandFor) {
  {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(FinishedRun(20)).ok());
    ASSERT_TRUE((*journal)->Replace(ReplacementOf(FinishedRunKey(), **journal)).ok());
  }
  const Examination examination = Examine(directory_, {});
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text, AllOf(HasSubstr("29 events with 20 points of 2 runs, format 2"),
                                      HasSubstr("1 curves stand for 4000 points more")));
}

// At the snapshot's event the journal lacks points that the snapshot has.
TEST_F(ExaminationTest, HoldsASnapshotThatIsOlderThanACompactionAgainstTheEnd) {
  const std::vector<Event> run = FinishedRun(20);
  {
    auto journal = *SqliteJournal::Open(directory_);
    Engine engine;
    for (size_t i = 0; i < run.size(); ++i) {
      ASSERT_TRUE(journal->Append({run[i]}).ok() && engine.Apply(run[i]).ok());
      // An event that stays, in the middle of the run.
      if (i < run.size() / 2 || !std::holds_alternative<ForecastMade>(run[i].body)) continue;
      SnapshotFile file(directory_);
      auto writing = file.Write({*journal->Newest(), engine.settings()});
      ASSERT_TRUE(writing.ok() && (*writing)->Add(engine.State()).ok() && (*writing)->Finish().ok());
      ASSERT_TRUE(journal->Append(absl::MakeSpan(run).subspan(i + 1)).ok());
      break;
    }
    ASSERT_TRUE(journal->Replace(ReplacementOf(FinishedRunKey(), *journal)).ok());
  }
  const Examination examination = Examine(directory_, {});
  EXPECT_TRUE(examination.verdict.ok()) << examination.verdict;
  EXPECT_THAT(examination.text, HasSubstr("a snapshot of the first "));
}

TEST_F(ExaminationTest, LeavesTheLogOfAKilledDaemonAlone) {
  const auto journal = MakeStore();
  const fs::path copy = directory_ / "copy";
  fs::create_directory(copy);
  for (const char* name : {"journal.db", "journal.db-wal"}) fs::copy(directory_ / name, copy / name);
  const auto log_bytes = fs::file_size(copy / "journal.db-wal");
  EXPECT_TRUE(Examine(copy, {}).verdict.ok());
  EXPECT_EQ(fs::file_size(copy / "journal.db-wal"), log_bytes);
}

TEST_F(ExaminationTest, SaysWhatCanStillBeReadOfADamagedOne) {
  MakeStore();
  std::fstream file(directory_ / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(47) << 'x';
  file.close();
  const Examination examination = Examine(directory_, {});
  EXPECT_TRUE(absl::IsDataLoss(examination.verdict)) << examination.verdict;
  EXPECT_THAT(examination.text, HasSubstr("10 events can still be read"));
}

TEST_F(ExaminationTest, NamesTheDaemonThatHasItAndMakesNoStoreWhereNoneIs) {
  EXPECT_TRUE(absl::IsNotFound(Examine(directory_, {}).verdict));
  EXPECT_FALSE(fs::exists(directory_));
  const auto journal = MakeStore();
  const Examination examination = Examine(directory_, {});
  EXPECT_THAT(std::string(examination.verdict.message()), HasSubstr("in use by process"));
}

}  // namespace
}  // namespace curvecast
