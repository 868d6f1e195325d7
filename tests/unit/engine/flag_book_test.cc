#include "core/engine/flag_book.h"

#include <gtest/gtest.h>

#include <cmath>

namespace curvecast {
namespace {

using What = FlagChange::What;

Flag FlagOf(FlagKind kind, std::string metric = "train/loss") {
  Flag flag;
  flag.kind = kind;
  flag.metric = std::move(metric);
  return flag;
}

FlagChange Change(What what, FlagKind kind, Resolution resolution = Resolution::kActive) {
  FlagChange change{what, FlagOf(kind)};
  change.flag.resolution = resolution;
  return change;
}

TEST(FlagBookTest, AFlagIsRaisedUpdatedAndResolvedUnderOneNumber) {
  FlagBook book;
  EXPECT_TRUE(book.Apply(Change(What::kRaised, FlagKind::kSpike), 10));
  FlagChange graver = Change(What::kUpdated, FlagKind::kSpike);
  graver.flag.severity = Severity::kCritical;
  EXPECT_TRUE(book.Apply(graver, 20));
  ASSERT_NE(book.FindActive(FlagKind::kSpike, "train/loss"), nullptr);
  EXPECT_TRUE(book.Apply(Change(What::kResolved, FlagKind::kSpike, Resolution::kRecovered), 30));
  ASSERT_EQ(book.flags()->size(), 1u);
  const BookedFlag& flag = book.flags()->front();
  EXPECT_EQ(flag.number, 1);
  EXPECT_EQ(flag.raised_at, 10);
  EXPECT_EQ(flag.updated_at, 30);
  EXPECT_EQ(flag.flag.resolution, Resolution::kRecovered);
  EXPECT_EQ(book.FindActive(FlagKind::kSpike, "train/loss"), nullptr);
  EXPECT_TRUE(book.Apply(Change(What::kRaised, FlagKind::kSpike), 40));
  EXPECT_EQ(book.flags()->back().number, 2) << "the same again is another flag";
}

TEST(FlagBookTest, FlagsOfOtherKindsAndMetricsAreOthers) {
  FlagBook book;
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 10);
  EXPECT_TRUE(book.Apply(Change(What::kRaised, FlagKind::kShift), 10));
  EXPECT_TRUE(book.Apply({What::kRaised, FlagOf(FlagKind::kSpike, "eval/loss")}, 10));
  EXPECT_EQ(book.raised(), 3);
}

TEST(FlagBookTest, WhatDoesNotFitChangesNothing) {
  FlagBook book;
  EXPECT_FALSE(book.Apply(Change(What::kUpdated, FlagKind::kSpike), 10));
  EXPECT_FALSE(book.Apply(Change(What::kResolved, FlagKind::kSpike, Resolution::kRecovered), 10));
  EXPECT_FALSE(book.Apply(FlagHandled{1, "ada", "", std::nullopt}, 10));
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 10);
  EXPECT_FALSE(book.Apply(Change(What::kRaised, FlagKind::kSpike), 20)) << "it is active already";
  EXPECT_FALSE(book.Apply(Change(What::kUpdated, FlagKind::kSpike, Resolution::kRecovered), 20));
  EXPECT_FALSE(book.Apply(FlagHandled{2, "ada", "", std::nullopt}, 20));
  EXPECT_EQ(book.flags()->size(), 1u);
  EXPECT_EQ(book.flags()->front().updated_at, 10);
}

TEST(FlagBookTest, WhatIsHandedOutNeverChanges) {
  FlagBook book;
  const BookedFlags none = book.flags();
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 10);
  const BookedFlags one = book.flags();
  book.Apply(FlagHandled{1, "ada", "seen", std::nullopt}, 20);
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(one->front().acknowledged_at, 0);
}

TEST(FlagBookTest, AnAcknowledgedFlagIsOnRecordAndNotShown) {
  FlagBook book;
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 10);
  EXPECT_TRUE(book.flags()->front().ShownAt(10));
  EXPECT_TRUE(book.Apply(FlagHandled{1, "ada", "seen", std::nullopt}, 20));
  const BookedFlag& flag = *book.Find(1);
  EXPECT_FALSE(flag.ShownAt(30));
  EXPECT_TRUE(flag.flag.active());
  EXPECT_EQ(flag.acknowledged_at, 20);
  EXPECT_EQ(flag.acknowledged_by, "ada");
  EXPECT_EQ(flag.note, "seen");
  EXPECT_EQ(flag.updated_at, 10) << "that is the watch's";
}

TEST(FlagBookTest, ASilenceRunsOutOrIsEnded) {
  FlagBook book;
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 10);
  EXPECT_TRUE(book.Apply(FlagHandled{1, "ada", "known", 100}, 20));
  EXPECT_FALSE(book.Find(1)->ShownAt(99));
  EXPECT_TRUE(book.Find(1)->ShownAt(100));
  EXPECT_TRUE(book.Apply(FlagHandled{1, "grace", "", 30}, 30));
  EXPECT_TRUE(book.Find(1)->ShownAt(31));
  EXPECT_EQ(book.Find(1)->silenced_by, "grace");
  EXPECT_EQ(book.Find(1)->note, "known") << "nothing newer was said";
}

TEST(FlagBookTest, PastItsLimitTheOldestResolvedGoesFirstAndAllAreCounted) {
  FlagBook book;
  book.Apply({What::kRaised, FlagOf(FlagKind::kShift)}, 1);  // Stays active.
  for (size_t i = 0; i < FlagBook::kMaxFlags + 10; ++i) {
    book.Apply(Change(What::kRaised, FlagKind::kSpike), 1);
    book.Apply(Change(What::kResolved, FlagKind::kSpike, Resolution::kRecovered), 1);
  }
  EXPECT_EQ(book.flags()->size(), FlagBook::kMaxFlags);
  EXPECT_EQ(book.raised(), static_cast<int64_t>(FlagBook::kMaxFlags) + 11);
  EXPECT_NE(book.Find(1), nullptr) << "it is active";
  EXPECT_EQ(book.Find(2), nullptr);
  EXPECT_NE(book.Find(book.raised()), nullptr);
}

TEST(FlagBookTest, TheGravestIsShownFirstThenTheNewest) {
  FlagBook book;
  FlagChange critical = Change(What::kRaised, FlagKind::kShift);
  critical.flag.severity = Severity::kCritical;
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 1);
  book.Apply(critical, 1);
  book.Apply(Change(What::kRaised, FlagKind::kDrift), 1);
  std::vector<int64_t> numbers;
  for (const BookedFlag* flag : ShownFlags(*book.flags(), 2)) numbers.push_back(flag->number);
  EXPECT_EQ(numbers, (std::vector<int64_t>{2, 3, 1}));
}

TEST(FlagBookTest, IsBroughtInLineWithWhatTheWatchHolds) {
  FlagBook book;
  book.Apply(Change(What::kRaised, FlagKind::kSpike), 1);
  book.Apply(Change(What::kRaised, FlagKind::kShift), 1);
  book.Apply(Change(What::kRaised, FlagKind::kNonFinite), 1);
  Flag graver = FlagOf(FlagKind::kShift);
  graver.severity = Severity::kCritical;
  Flag same = FlagOf(FlagKind::kNonFinite);
  same.evidence.seen = std::nan("");  // Which equals nothing, and is no news.
  const std::vector<FlagChange> changes =
      book.ChangesTo({graver, same, FlagOf(FlagKind::kDrift)}, Resolution::kRecovered);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0], Change(What::kResolved, FlagKind::kSpike, Resolution::kRecovered));
  EXPECT_EQ(changes[1], (FlagChange{What::kUpdated, graver}));
  EXPECT_EQ(changes[2], Change(What::kRaised, FlagKind::kDrift));
  for (const FlagChange& change : changes) EXPECT_TRUE(book.Apply(change, 2));
  EXPECT_TRUE(book.ChangesTo({graver, same, FlagOf(FlagKind::kDrift)}, Resolution::kRecovered).empty());
}

}  // namespace
}  // namespace curvecast
