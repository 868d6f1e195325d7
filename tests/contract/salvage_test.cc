// What is left of a damaged store: all that can be read, nothing else, in order, in a store that a daemon can start on.

#include "daemon/store/salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;

class SalvageTest : public testing::Test {
 protected:
  SalvageTest() {
    std::string name = fs::temp_directory_path() / "curvecast_salvage_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SalvageTest() override { fs::remove_all(directory_); }

  std::string Old() const { return directory_ / "old"; }
  std::string New() const { return directory_ / "new"; }

  // With rows of many sizes, some over several pages. `killed`: as a killed daemon leaves it, most of it in the log.
  void MakeStore(bool killed) {
    const std::string live = directory_ / "live";
    auto journal = SqliteJournal::Open(live);
    ASSERT_TRUE(journal.ok()) << journal.status();
    std::vector<Event> events = {EventsOfEveryKind()[0]};  // Opens demo/plain.
    std::mt19937_64 random(1);
    for (uint64_t i = 1; i <= 125; ++i) events.push_back(BatchOf(i, static_cast<Step>(i) * 1000, random() % 1500));
    for (const Event& event : events) {
      ASSERT_TRUE((*journal)->Append({event}).ok());
      appended_.push_back(EncodeEvent(event));
    }
    if (!killed) journal->reset();
    fs::copy(live, Old());
  }

  std::string Read(const std::string& name) const {
    std::ifstream in(fs::path(Old()) / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(fs::path(Old()) / name, std::ios::binary) << bytes;
  }

  SalvageReport SalvageAll() const {
    absl::StatusOr<SalvageReport> report = Salvage(Old(), New());
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : SalvageReport{};
  }

  std::vector<std::string> Salvaged() const {
    std::vector<std::string> events;
    auto journal = SqliteJournal::Open(New());
    EXPECT_TRUE(journal.ok()) << journal.status();
    EXPECT_TRUE((*journal)
                    ->Replay([&](const Event& event) {
                      events.push_back(EncodeEvent(event));
                      return absl::OkStatus();
                    })
                    .ok());
    return events;
  }

  fs::path directory_;
  std::vector<std::string> appended_;
};

TEST_F(SalvageTest, KeepsAllOfAStoreThatIsWhole) {
  MakeStore(/*killed=*/false);
  EXPECT_EQ(Describe(SalvageAll()), "126 events are kept\nnothing is known to be lost\n");
  EXPECT_EQ(Salvaged(), appended_);
}

TEST_F(SalvageTest, KeepsWhatLiesInTheLogOfAKilledDaemon) {
  MakeStore(/*killed=*/true);
  const std::string before = Read("journal.db-wal");
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(Describe(SalvageAll()), "126 events are kept\nnothing is known to be lost\n");
  EXPECT_EQ(Salvaged(), appended_);
  EXPECT_EQ(Read("journal.db-wal"), before) << "the old store must stay as it is";
}

TEST_F(SalvageTest, ReadsOnPastADamagedTransactionOfTheLog) {
  MakeStore(/*killed=*/true);
  std::string log = Read("journal.db-wal");
  log[log.size() / 2] = static_cast<char>(log[log.size() / 2] ^ 1);
  Write("journal.db-wal", log);
  ASSERT_TRUE(absl::IsDataLoss(SqliteJournal::Open(Old()).status()));
  EXPECT_GE(SalvageAll().kept, 124);
  EXPECT_THAT(Salvaged(), IsSubsetOf(appended_));
}

TEST_F(SalvageTest, NamesTheEventThatIsLost) {
  MakeStore(/*killed=*/false);
  std::string file = Read("journal.db");
  file[file.find(appended_[20].substr(0, 64))] ^= 1;
  Write("journal.db", file);
  const SalvageReport report = SalvageAll();
  EXPECT_EQ(report.kept, 125);
  EXPECT_EQ(Describe(report), "125 events are kept\nlost, for they cannot be read: 21 (in all 1)\n");
}

TEST_F(SalvageTest, NeedsNeitherMarksNorTablesNorTree) {
  MakeStore(/*killed=*/false);
  std::string file = Read("journal.db");
  file.replace(0, 2 * 4096, 2 * 4096, '\xff');
  Write("journal.db", file);
  EXPECT_EQ(SalvageAll().kept, 126);
}

TEST_F(SalvageTest, LeavesOutWhatMeansNothingWithoutWhatIsLost) {
  MakeStore(/*killed=*/false);
  std::string file = Read("journal.db");
  file[file.find(appended_[0].substr(0, 20))] ^= 1;  // The opening of run demo/plain.
  Write("journal.db", file);
  const SalvageReport report = SalvageAll();
  EXPECT_THAT(Describe(report), HasSubstr("run demo/plain lacks an opening"));
  EXPECT_EQ(report.missing.size(), 1);
  EXPECT_EQ(report.kept + static_cast<int64_t>(report.left_out.size()), 125);
}

TEST_F(SalvageTest, TellsOfBatchesThatWouldCountForNothing) {
  {
    auto journal = SqliteJournal::Open(Old());
    Event second_life = BatchOf(1, 100, 8);
    std::get<BatchAppended>(second_life.body).incarnation = 2;
    const std::vector<Event> every_kind = EventsOfEveryKind();  // [0] opens life 1 of demo/plain, [6] life 2.
    ASSERT_TRUE((*journal)->Append({every_kind[0], BatchOf(1, 0, 8), every_kind[6], second_life}).ok());
    appended_.push_back(EncodeEvent(every_kind[6]));
  }
  std::string file = Read("journal.db");
  file[file.find(appended_[0])] ^= 1;
  Write("journal.db", file);
  EXPECT_EQ(Describe(SalvageAll()),
            "2 events are kept\n"
            "lost, for they cannot be read: 3 (in all 1)\n"
            "event 4, of run demo/plain: a batch of a writer's life whose opening is lost\n"
            "run demo/plain lacks an opening; import it again if you can\n");
}

TEST_F(SalvageTest, SaysHowManyAcknowledgedEventsTheEndLacks) {
  MakeStore(/*killed=*/true);
  fs::remove(fs::path(Old()) / "journal.db-wal");
  EXPECT_THAT(Describe(SalvageAll()), HasSubstr("lost, for they cannot be read: 1-126 (in all 126)"));
}

TEST_F(SalvageTest, FindsOnlyWhatWasWrittenHoweverTheBytesAreDamaged) {
  MakeStore(/*killed=*/true);
  const std::vector<std::string> names = {"journal.db", "journal.db-wal", "journal.tip"};
  std::mt19937_64 random(9);
  for (int i = 0; i < 60; ++i) {
    fs::remove_all(Old());
    fs::copy(directory_ / "live", Old());
    for (const std::string& name : names) {
      std::string bytes = Read(name);
      for (int flips = 0; flips < 40 && !bytes.empty(); ++flips)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      Write(name, bytes);
    }
    fs::remove_all(New());
    SalvageAll();
    EXPECT_THAT(Salvaged(), IsSubsetOf(appended_));
  }
}

// What was replaced still lies about on free pages, and must not come back beside what stands for it.
TEST_F(SalvageTest, TakesACompactedRunOnceWhetherItsDaemonWasKilledOrNot) {
  for (const bool killed : {false, true}) {
    fs::remove_all(Old());
    fs::remove_all(New());
    fs::remove_all(directory_ / "live");
    auto journal = SqliteJournal::Open(directory_ / "live");
    ASSERT_TRUE(journal.ok()) << journal.status();
    const std::vector<Event> whole = FinishedRun(60);
    ASSERT_TRUE((*journal)->Append(whole).ok());
    const Replacement replacement = ReplacementOf(FinishedRunKey(), **journal);
    ASSERT_TRUE((*journal)->Replace(replacement).ok());
    if (!killed) journal->reset();
    fs::copy(directory_ / "live", Old());
    EXPECT_THAT(Describe(SalvageAll()), HasSubstr("nothing is known to be lost"));
    Replacement renumbered = replacement;
    std::get<CurveKept>(renumbered.kept.body).replaced.clear();
    std::vector<std::string> expected;
    for (const Event& event : Compacted(whole, renumbered)) expected.push_back(EncodeEvent(event));
    EXPECT_EQ(Salvaged(), expected);
  }
}

TEST_F(SalvageTest, RefusesAStoreInUseAndAFolderThatIsThere) {
  EXPECT_TRUE(absl::IsNotFound(Salvage(Old(), New()).status()));
  auto journal = SqliteJournal::Open(Old());
  EXPECT_TRUE(absl::IsUnavailable(Salvage(Old(), New()).status()));
  journal->reset();
  EXPECT_TRUE(Salvage(Old(), New()).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Salvage(Old(), New()).status()));
}

}  // namespace
}  // namespace curvecast
