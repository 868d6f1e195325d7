#include "core/watch/feature_track.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

using testing::PlanOf;

constexpr double kOff = 3e-5;  // Log loss.

FeatureRow Exact(const FeatureTrack& track, double step) {
  const RunClock& clock = track.clock();
  return Features(clock, {{std::max(clock.Share(step), 1e-6), clock.Rate(step)}}).front();
}

// What a difference of features comes to in log loss, for a run as finished runs were.
double InLogLoss(const FeatureTrack& track, const FeatureRow& difference) {
  const Archetype& any = Prior::Shipped().Of(track.clock().kind()).any();
  const Coefficients mean = any.MeanOf(TraitsOf(track.plan(), track.clock()));
  return std::fabs(difference.tail<kFeatures>().dot(mean.tail<kFeatures>()));
}

std::vector<Plan> Plans(Step total) {
  return {testing::Cosine(total),
          testing::Linear(total),
          testing::Wsd(total),
          testing::ConstantRate(total),
          testing::NoSchedule(total),
          testing::Stepped(total),
          PlanOf(Decay::kOneMinusSqrt, total, 0, total / 2),
          PlanOf(Decay::kExponential, total, total / 10, 0)};
}

TEST(FeatureTrackTest, ItIsTheExactFeaturesUnderManySchedules) {
  for (const Step total : {Step{300}, Step{20'000}, Step{3'000'000}}) {
    size_t which = 0;
    for (const Plan& plan : Plans(total)) {
      FeatureTrack track(plan, 1);
      // Nothing is said of a run before.
      const double first = std::max({1.0, track.clock().warmup_end(), 1e-3 * static_cast<double>(total)});
      for (double at = first; at <= static_cast<double>(total); at = std::floor(at * 1.0031) + 1) {
        const FeatureTrack::Place& place = track.At(at);
        ASSERT_LE(InLogLoss(track, place.row - Exact(track, at)), kOff)
            << "plan " << which << " of " << total << " step " << at;
        ASSERT_NEAR(place.share, track.clock().Share(at), 1e-5) << at;
        ASSERT_NEAR(place.rate, track.clock().Rate(at), 3e-4) << "plan " << which << " step " << at;
      }
      ++which;
    }
  }
}

TEST(FeatureTrackTest, TheOrderInWhichStepsAreAskedForDoesNotMatter) {
  for (const Plan& plan : Plans(50'000)) {
    FeatureTrack forward(plan, 1), wild(plan, 1);
    std::vector<FeatureRow> rows;
    for (double at = 1; at <= 50'000; at += 37) rows.push_back(forward.At(at).row);
    testing::Dice dice(1);
    for (int i = 0; i < 2000; ++i) {
      const size_t k = dice.Bits() % rows.size();
      ASSERT_EQ(wild.At(1 + 37.0 * static_cast<double>(k)).row, rows[k]) << k;
    }
  }
}

TEST(FeatureTrackTest, AtItsEndEveryFeatureIsZero) {
  for (const Plan& plan : Plans(10'000)) {
    FeatureTrack track(plan, 1);
    EXPECT_TRUE(track.Covers(10'000));
    EXPECT_FALSE(track.Covers(10'001));
    EXPECT_LT(track.At(10'000).row.tail<kFeatures>().norm(), 1e-9);
    EXPECT_EQ(track.At(10'000).row(0), 1);
  }
}

TEST(FeatureTrackTest, APlanWithoutAnEndGetsOneFarAhead) {
  Plan plan;
  const FeatureTrack young(plan, 3);
  EXPECT_TRUE(young.Covers(500));
  const FeatureTrack old(plan, 100'000);
  EXPECT_TRUE(old.Covers(200'000));
  EXPECT_FALSE(old.Covers(10'000'000));
  plan.schedule = LrSchedule::Constant();
  FeatureTrack constant(plan, 100'000);
  EXPECT_EQ(constant.clock().kind(), RateKind::kKnown);
  EXPECT_LE(InLogLoss(constant, constant.At(77'777).row - Exact(constant, 77'777)), kOff);
}

TEST(FeatureTrackTest, ARunPastItsEndGetsALaterOne) {
  FeatureTrack track(testing::Cosine(1000), 1001);
  EXPECT_TRUE(track.Covers(1001));
  EXPECT_TRUE(track.Covers(1200));
  for (double at = 30; at < 1200; at += 13) {
    ASSERT_LE(InLogLoss(track, track.At(at).row - Exact(track, at)), kOff) << at;
  }
}

TEST(FeatureTrackTest, WarmupAndSizedStepsAreTold) {
  Plan plan = testing::Cosine(1000);  // 20 steps of warm-up.
  FeatureTrack track(plan, 1);
  EXPECT_TRUE(track.At(20).warming);
  EXPECT_FALSE(track.At(21).warming);
  EXPECT_FALSE(track.At(500).sized);
  plan.tokens_per_step = 5e5;
  FeatureTrack sized(plan, 1);
  EXPECT_TRUE(sized.At(500).sized);
}

TEST(FeatureTrackTest, StepZeroIsTakenForTheFirst) {
  FeatureTrack track(testing::ConstantRate(1000), 0);
  EXPECT_EQ(track.At(0).row, track.At(1).row);
  EXPECT_GT(track.At(0).share, 0);
}

TEST(FeatureTrackTest, TheFarthestStepIsNoTrouble) {
  FeatureTrack track(Plan{}, kMaxStep);
  ASSERT_TRUE(track.Covers(kMaxStep));
  EXPECT_TRUE(track.At(static_cast<double>(kMaxStep)).row.allFinite());
}

}  // namespace
}  // namespace curvecast
