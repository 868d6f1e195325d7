// What every journal promises of rows that are replaced: all or nothing, durable, and the rest stays as it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/journal_on_disk.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

using ::testing::ElementsAreArray;

class CompactionContractTest : public testing::TestWithParam<JournalKind> {
 protected:
  CompactionContractTest() : bench_(GetParam().make()), whole_(FinishedRun(12)) {
    EXPECT_TRUE(journal().Append(whole_).ok());
    replacement_ = ReplacementOf(FinishedRunKey(), journal());
    compacted_ = Compacted(whole_, replacement_);
  }
  CompactableJournal& journal() { return bench_->journal(); }
  std::vector<std::string> Found() { return Digests(Replayed(journal())); }

  std::unique_ptr<JournalOnDisk> bench_;
  const std::vector<Event> whole_;
  Replacement replacement_;
  std::vector<Event> compacted_;
};

TEST_P(CompactionContractTest, ReplacesRowsWhereTheLastOfThemStoodAndKeepsThatOverRestarts) {
  ASSERT_EQ(compacted_.size(), whole_.size() - 12);
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  EXPECT_THAT(Found(), ElementsAreArray(Digests(compacted_)));
  bench_->Restart();
  EXPECT_THAT(Found(), ElementsAreArray(Digests(compacted_)));
}

TEST_P(CompactionContractTest, GoesOnWithTheNextIdBehindAGap) {
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  compacted_.push_back(BatchOf(14, 9000, 64));
  ASSERT_TRUE(journal().Append({compacted_.back()}).ok());
  bench_->Restart();
  compacted_.push_back(BatchOf(15, 9100, 64));
  ASSERT_TRUE(journal().Append({compacted_.back()}).ok());
  EXPECT_THAT(Found(), ElementsAreArray(Digests(compacted_)));
  const auto read = journal().Read(static_cast<int64_t>(whole_.size()), 1 << 20);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 3);
  EXPECT_EQ((*read)[2].id, static_cast<int64_t>(whole_.size()) + 2);
}

TEST_P(CompactionContractTest, LeavesNothingOfAReplacementThatFailed) {
  bench_->BreakNextAppend();
  ASSERT_FALSE(journal().Replace(replacement_).ok());
  EXPECT_THAT(Found(), ElementsAreArray(Digests(whole_)));
  ASSERT_TRUE(journal().Replace(replacement_).ok()) << "it can be tried again";
  EXPECT_THAT(Found(), ElementsAreArray(Digests(compacted_)));
  bench_->Restart();
  EXPECT_THAT(Found(), ElementsAreArray(Digests(compacted_)));
}

TEST_P(CompactionContractTest, ChangesNothingIfARowIsNotThere) {
  Replacement wrong = replacement_;
  wrong.ids.insert(wrong.ids.begin() + 1, 4711);
  std::sort(wrong.ids.begin(), wrong.ids.end());
  EXPECT_TRUE(absl::IsNotFound(journal().Replace(wrong)));
  EXPECT_THAT(Found(), ElementsAreArray(Digests(whole_)));
}

TEST_P(CompactionContractTest, ReadsFromAnIdOnInPieces) {
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  std::vector<Event> found;
  int64_t next = 1;
  while (true) {
    const auto piece = journal().Read(next, 300);
    ASSERT_TRUE(piece.ok()) << piece.status();
    if (piece->empty()) break;
    for (const StoredEvent& stored : *piece) {
      EXPECT_GE(stored.id, next);
      EXPECT_GT(stored.bytes, 0);
      found.push_back(stored.event);
      next = stored.id + 1;
    }
  }
  EXPECT_THAT(Digests(found), ElementsAreArray(Digests(compacted_)));
}

TEST_P(CompactionContractTest, ReplaysWhatLiesBehindAnEventAmongGaps) {
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  std::map<int64_t, Event> left;  // By id.
  const auto events = journal().Read(1, 1 << 20);
  ASSERT_TRUE(events.ok()) << events.status();
  for (const StoredEvent& stored : *events) left[stored.id] = stored.event;
  for (int64_t after = 0; after <= static_cast<int64_t>(whole_.size()); ++after) {
    std::vector<Event> expected, found;
    for (auto at = left.upper_bound(after); at != left.end(); ++at) expected.push_back(at->second);
    const absl::Status status = journal().Replay(after, [&](Event event) {
      found.push_back(std::move(event));
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status << " after " << after;
    EXPECT_THAT(Digests(found), ElementsAreArray(Digests(expected))) << "after " << after;
  }
}

TEST_P(CompactionContractTest, AMarkStandsUntilItsEventIsReplaced) {
  bench_.reset();
  bench_ = GetParam().make();
  std::vector<JournalMark> marks;
  for (const Event& event : whole_) {
    ASSERT_TRUE(journal().Append({event}).ok());
    marks.push_back(*journal().Newest());
  }
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  for (const JournalMark& mark : marks) {
    const bool gone = std::binary_search(replacement_.ids.begin(), replacement_.ids.end(), mark.id);
    EXPECT_EQ(journal().Has(mark), !gone) << mark.id;
  }
  const JournalMark newest = *journal().Newest();
  EXPECT_EQ(newest.id, static_cast<int64_t>(whole_.size()));
  EXPECT_TRUE(journal().Has(newest));
  bench_->Restart();
  EXPECT_EQ(*journal().Newest(), newest);
}

TEST_P(CompactionContractTest, SaysHowManyEventsItHolds) {
  const auto before = journal().Size();
  ASSERT_TRUE(journal().Replace(replacement_).ok());
  const auto after = journal().Size();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->events, static_cast<int64_t>(whole_.size()));
  EXPECT_EQ(after->events, static_cast<int64_t>(compacted_.size()));
  EXPECT_LT(after->used_bytes, before->used_bytes);
}

INSTANTIATE_TEST_SUITE_P(Journals, CompactionContractTest, testing::ValuesIn(JournalKinds()),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace curvecast
