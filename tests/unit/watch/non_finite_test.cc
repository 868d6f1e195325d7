#include "core/watch/non_finite.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(NonFiniteTest, TheFirstOneIsFlaggedAndEightFiniteOnesEndIt) {
  NonFinite test("loss");
  std::vector<FlagChange> changes;
  test.Add(1, 2.5, changes);
  EXPECT_TRUE(changes.empty());
  test.Add(2, kNan, changes);
  test.Add(3, kNan, changes);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].flag.kind, FlagKind::kNonFinite);
  EXPECT_EQ(changes[0].flag.severity, Severity::kCritical);
  EXPECT_EQ(changes[0].flag.began_step, 2);
  EXPECT_EQ(changes[0].flag.evidence.expected, 2.5);
  EXPECT_TRUE(std::isnan(changes[0].flag.evidence.seen));
  for (Step s = 4; s < 4 + NonFinite::kFinite - 1; ++s) test.Add(s, 2.5, changes);
  EXPECT_EQ(changes.size(), 1u);
  test.Add(20, kNan, changes);
  for (Step s = 21; s < 21 + NonFinite::kFinite; ++s) test.Add(s, 2.5, changes);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_EQ(changes[1].flag.updated_step, 28);
}

TEST(NonFiniteTest, InfinityIsOneToo) {
  NonFinite test("loss");
  std::vector<FlagChange> changes;
  test.Add(1, -std::numeric_limits<double>::infinity(), changes);
  EXPECT_EQ(changes.size(), 1u);
}

TEST(NonFiniteTest, ARewindTakesItAwayAndTheRunsEndEndsIt) {
  NonFinite test("loss");
  std::vector<FlagChange> changes;
  test.Add(10, kNan, changes);
  test.Supersede(11, changes);
  EXPECT_EQ(changes.size(), 1u);
  test.Supersede(9, changes);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].flag.resolution, Resolution::kSuperseded);
  test.Add(9, kNan, changes);
  test.End(9, changes);
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[3].flag.resolution, Resolution::kEnded);
}

}  // namespace
}  // namespace curvecast
