// What every Journal promises, checked on each of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/ports/memory_journal.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/faulty_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// A journal and the disk below it.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual Journal& journal() = 0;
  virtual void Restart() = 0;
  // The next Append fails; those after it do not.
  virtual void BreakNextAppend() = 0;
};

class MemoryBench : public Bench {
 public:
  Journal& journal() override { return journal_; }
  void Restart() override { journal_.Crash(); }
  void BreakNextAppend() override { journal_.FailAppend(1, absl::UnavailableError("asked for")); }

 private:
  MemoryJournal journal_;
};

class SqliteBench : public Bench {
 public:
  explicit SqliteBench(FaultyDisk::Fault fault) : fault_(fault) {
    std::string name = std::filesystem::temp_directory_path() / "curvecast_contract_XXXXXX";
    directory_ = mkdtemp(name.data());
    Open();
  }
  ~SqliteBench() override {
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }
  Journal& journal() override { return *journal_; }
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

struct Kind {
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

  std::string name;
  std::function<std::unique_ptr<Bench>()> make;
};

std::vector<Kind> Kinds() {
  auto sqlite = [](FaultyDisk::Fault fault) { return [fault] { return std::make_unique<SqliteBench>(fault); }; };
  return {{"Memory", [] { return std::make_unique<MemoryBench>(); }},
          {"SqliteOnAFullDisk", sqlite(FaultyDisk::Fault::kNoSpace)},
          {"SqliteOnABadDisk", sqlite(FaultyDisk::Fault::kWriteError)},
          {"SqliteOnADiskThatWritesHalf", sqlite(FaultyDisk::Fault::kShortWrite)},
          {"SqliteOnADiskThatDoesNotSync", sqlite(FaultyDisk::Fault::kSyncError)}};
}

// Their bytes stand for events: equal bytes are equal events, NaN included, and the codec has tests of its own. A hash
// of them makes for messages that can be read.
std::vector<std::string> Digests(const std::vector<Event>& events) {
  std::vector<std::string> digests;
  for (const Event& event : events) {
    const std::string bytes = EncodeEvent(event);
    digests.push_back(std::to_string(bytes.size()) + " bytes, hash " + std::to_string(std::hash<std::string>()(bytes)));
  }
  return digests;
}

class JournalContractTest : public testing::TestWithParam<Kind> {
 protected:
  JournalContractTest() : bench_(GetParam().make()) {}
  Journal& journal() { return bench_->journal(); }

  std::vector<std::string> Replayed() {
    std::vector<Event> events;
    const absl::Status status = journal().Replay([&](Event event) {
      events.push_back(std::move(event));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return Digests(events);
  }

  std::unique_ptr<Bench> bench_;
};

TEST_P(JournalContractTest, ReplaysNothingWhenNothingWasAppended) {
  EXPECT_THAT(Replayed(), IsEmpty());
  ASSERT_TRUE(journal().Append({}).ok());
  EXPECT_THAT(Replayed(), IsEmpty());
}

TEST_P(JournalContractTest, ReplaysEveryKindOfEventInOrder) {
  const std::vector<Event> events = EventsOfEveryKind();
  ASSERT_TRUE(journal().Append(events).ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
}

TEST_P(JournalContractTest, ReplaysAgainAndGoesOn) {
  std::vector<Event> events = {BatchOf(1, 0, 64)};
  ASSERT_TRUE(journal().Append(events).ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
  events.push_back(BatchOf(2, 64, 64));
  ASSERT_TRUE(journal().Append(absl::MakeSpan(events).subspan(1)).ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
}

TEST_P(JournalContractTest, ReplaysWhatLiesBehindAnEvent) {
  const std::vector<Event> events = EventsOfEveryKind();
  ASSERT_TRUE(journal().Append(events).ok());
  for (size_t after = 0; after <= events.size(); ++after) {
    std::vector<Event> replayed;
    const absl::Status status = journal().Replay(static_cast<int64_t>(after), [&](Event event) {
      replayed.push_back(std::move(event));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(Digests(replayed), Digests({events.begin() + static_cast<std::ptrdiff_t>(after), events.end()}));
  }
}

TEST_P(JournalContractTest, KnowsTheMarksOfItsEventsAndNoOthers) {
  ASSERT_TRUE(journal().Newest().ok());
  EXPECT_EQ(*journal().Newest(), JournalMark{});
  EXPECT_TRUE(journal().Has({}));
  EXPECT_FALSE(journal().Has({0, 1}));
  std::vector<JournalMark> marks;
  for (const Event& event : EventsOfEveryKind()) {
    ASSERT_TRUE(journal().Append({event}).ok());
    ASSERT_TRUE(journal().Newest().ok());
    marks.push_back(*journal().Newest());
    EXPECT_EQ(marks.back().id, static_cast<int64_t>(marks.size()));
  }
  bench_->Restart();
  EXPECT_EQ(*journal().Newest(), marks.back());
  for (const JournalMark& mark : marks) {
    EXPECT_TRUE(journal().Has(mark));
    EXPECT_FALSE(journal().Has({mark.id, mark.checksum + 1}));
    EXPECT_FALSE(journal().Has({mark.id + static_cast<int64_t>(marks.size()), mark.checksum}));
  }
}

TEST_P(JournalContractTest, KeepsWhatItAcknowledgedOverRestarts) {
  const std::vector<Event> events = EventsOfEveryKind();
  for (const Event& event : events) {
    ASSERT_TRUE(journal().Append({event}).ok());
    bench_->Restart();
  }
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
}

TEST_P(JournalContractTest, KeepsAForecastWithoutItsPath) {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  Event made{1, {"demo", "plain"}, ForecastMade{forecast}};
  const std::vector<std::string> without_path = Digests({made});
  std::get<ForecastMade>(made.body).forecast.path = {{1, 2, 3, 4}};
  ASSERT_TRUE(journal().Append({made}).ok());
  ASSERT_TRUE(journal()
                  .Replay([](Event event) {
                    EXPECT_THAT(std::get<ForecastMade>(event.body).forecast.path, IsEmpty());
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(without_path));
}

TEST_P(JournalContractTest, LeavesNothingOfAnAppendThatFailed) {
  const std::vector<Event> kept = {BatchOf(1, 0, 100)};
  const std::vector<Event> refused = {BatchOf(2, 100, 100), BatchOf(3, 200, 3000)};
  ASSERT_TRUE(journal().Append(kept).ok());
  bench_->BreakNextAppend();
  ASSERT_FALSE(journal().Append(refused).ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(kept)));
  bench_->Restart();
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(kept)));
}

TEST_P(JournalContractTest, TakesAnAppendThatIsTriedAgain) {
  const std::vector<Event> events = EventsOfEveryKind();
  bench_->BreakNextAppend();
  ASSERT_FALSE(journal().Append(events).ok());
  ASSERT_TRUE(journal().Append(events).ok());
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
  bench_->Restart();
  EXPECT_THAT(Replayed(), ElementsAreArray(Digests(events)));
}

TEST_P(JournalContractTest, StopsAReplayAtTheFirstErrorAndHandsItOn) {
  ASSERT_TRUE(journal().Append(EventsOfEveryKind()).ok());
  int visited = 0;
  const absl::Status status =
      journal().Replay([&](const Event&) { return ++visited == 3 ? absl::InternalError("enough") : absl::OkStatus(); });
  EXPECT_EQ(status, absl::InternalError("enough"));
  EXPECT_EQ(visited, 3);
  EXPECT_EQ(Replayed().size(), EventsOfEveryKind().size());
}

INSTANTIATE_TEST_SUITE_P(Journals, JournalContractTest, testing::ValuesIn(Kinds()),
                         [](const auto& param_info) { return param_info.param.name; });

// The other half of the in-memory journal's work: to break the promise on demand.
TEST(MemoryJournalTest, LosesItsUnsyncedTailInACrash) {
  MemoryJournal journal;
  ASSERT_TRUE(journal.Append({BatchOf(1, 0, 8)}).ok());
  journal.set_durable(false);
  ASSERT_TRUE(journal.Append({BatchOf(2, 8, 8), BatchOf(3, 16, 8)}).ok());
  EXPECT_EQ(journal.events().size(), 3);
  journal.Crash();
  EXPECT_EQ(journal.events().size(), 1);
  ASSERT_TRUE(journal.Append({BatchOf(2, 8, 8)}).ok());
  journal.Sync();
  journal.Crash();
  EXPECT_EQ(journal.events().size(), 2);
}

TEST(MemoryJournalTest, KnowsAnEventThatWasLostFromTheOneInItsPlace) {
  MemoryJournal journal;
  journal.set_durable(false);
  ASSERT_TRUE(journal.Append({BatchOf(1, 0, 8)}).ok());
  const JournalMark lost = *journal.Newest();
  journal.Crash();
  EXPECT_FALSE(journal.Has(lost));
  ASSERT_TRUE(journal.Append({BatchOf(1, 0, 8)}).ok());
  EXPECT_FALSE(journal.Has(lost));
}

TEST(MemoryJournalTest, FailsTheAppendItWasToldToFail) {
  MemoryJournal journal;
  journal.FailAppend(2, absl::ResourceExhaustedError("full"));
  EXPECT_TRUE(journal.Append({BatchOf(1, 0, 8)}).ok());
  EXPECT_EQ(journal.Append({BatchOf(2, 8, 8)}), absl::ResourceExhaustedError("full"));
  EXPECT_TRUE(journal.Append({BatchOf(2, 8, 8)}).ok());
  EXPECT_EQ(journal.events().size(), 2);
}

}  // namespace
}  // namespace curvecast
