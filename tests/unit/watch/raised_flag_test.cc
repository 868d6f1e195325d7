#include "core/watch/raised_flag.h"

#include <vector>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

using What = FlagChange::What;

Flag At(Step step) {
  Flag flag;
  flag.kind = FlagKind::kGradNorm;
  flag.metric = "grad_norm";
  flag.began_step = step - 2;
  flag.raised_step = flag.updated_step = step;
  return flag;
}

TEST(RaisedFlagTest, ItGoesUpOnceAndDownOnce) {
  RaisedFlag place;
  std::vector<FlagChange> changes;
  place.Resolve(Resolution::kRecovered, 5, changes);
  EXPECT_TRUE(changes.empty()) << "nothing is up";
  place.Raise(At(10), changes);
  place.Raise(At(20), changes);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].what, What::kRaised);
  EXPECT_EQ(changes[0].flag, At(10));
  EXPECT_TRUE(place.up());
  place.Resolve(Resolution::kRecovered, 30, changes);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].what, What::kResolved);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_EQ(changes[1].flag.raised_step, 10);
  EXPECT_EQ(changes[1].flag.updated_step, 30);
  EXPECT_FALSE(place.up());
  place.Raise(At(40), changes);
  EXPECT_EQ(changes.size(), 3u);
}

TEST(RaisedFlagTest, ItOnlyEverBecomesGraver) {
  RaisedFlag place;
  std::vector<FlagChange> changes;
  place.Worsen(Severity::kCritical, 5, {}, changes);
  EXPECT_TRUE(changes.empty());
  place.Raise(At(10), changes);
  place.Worsen(Severity::kWarning, 11, {}, changes);
  EXPECT_EQ(changes.size(), 1u);
  place.Worsen(Severity::kCritical, 12, {.statistic = 7}, changes);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].what, What::kUpdated);
  EXPECT_EQ(changes[1].flag.severity, Severity::kCritical);
  EXPECT_EQ(changes[1].flag.evidence.statistic, 7);
  EXPECT_EQ(changes[1].flag.updated_step, 12);
  place.Worsen(Severity::kCritical, 13, {}, changes);
  EXPECT_EQ(changes.size(), 2u);
}

TEST(RaisedFlagTest, ARewindTakesAwayOnlyWhatWasRaisedAfterIt) {
  RaisedFlag place;
  std::vector<FlagChange> changes;
  place.Raise(At(10), changes);
  place.Supersede(11, changes);
  EXPECT_TRUE(place.up());
  place.Supersede(10, changes);
  EXPECT_FALSE(place.up());
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kSuperseded);
}

}  // namespace
}  // namespace curvecast
