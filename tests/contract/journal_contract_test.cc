// What every Journal promises, checked on each of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/ports/memory_journal.h"
#include "tests/contract/journal_on_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

class JournalContractTest : public testing::TestWithParam<JournalKind> {
 protected:
  JournalContractTest() : bench_(GetParam().make()) {}
  Journal& journal() { return bench_->journal(); }

  std::vector<std::string> Replayed() { return Digests(curvecast::Replayed(journal())); }

  std::unique_ptr<JournalOnDisk> bench_;
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

INSTANTIATE_TEST_SUITE_P(Journals, JournalContractTest, testing::ValuesIn(JournalKinds()),
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
