#include "core/watch/incident.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/unit/watch/dice.h"

namespace curvecast {
namespace {

constexpr double kSd = 0.01;

FeatureRow Level() {
  FeatureRow row = FeatureRow::Zero();
  row(0) = 1;
  return row;
}

// The curve should lie at 1.
Incident Opened(double sign, double excess) {
  Belief belief;
  return Incident({.flag = {}, .sign = sign, .frozen = Reference(belief, 1), .excess = excess, .points = 1});
}

TEST(IncidentTest, ItIsOverOnceThePointsAreBack) {
  Incident incident = Opened(1, 0.2);
  for (int i = 0; i < 50; ++i) incident.Add(1.2, Level(), kSd);
  EXPECT_FALSE(incident.recovered());
  EXPECT_NEAR(incident.excess(), 0.2, 1e-6);
  int points = 0;
  while (!incident.recovered() && ++points < 100) incident.Add(1, Level(), kSd);
  EXPECT_GE(points, Incident::kCalm);
  EXPECT_LE(points, 10);
  EXPECT_EQ(incident.since_raised(), 50 + points);
  EXPECT_EQ(incident.points(), 51 + points);
}

TEST(IncidentTest, ASpikesOldPeakDoesNotKeepItOpen) {
  Incident incident = Opened(1, 3);
  int points = 0;
  while (!incident.recovered() && ++points < 100) incident.Add(1, Level(), kSd);
  EXPECT_LE(points, 10);
}

TEST(IncidentTest, ATallSpikeThatIsBackDoesNotPersistAndAStepDoes) {
  Incident spike = Opened(1, 0.5), twice = Opened(1, 0.5), step = Opened(1, 0.5), slight = Opened(1, 0.02);
  for (int i = 0; i < 8; ++i) {
    spike.Add(1 + (i == 0 ? 0.3 : 0.012), Level(), kSd);
    twice.Add(1 + (i == 3 ? 0.6 : 0), Level(), kSd);
    step.Add(1.5, Level(), kSd);
    slight.Add(1.02, Level(), kSd);
  }
  EXPECT_FALSE(spike.persists(kSd));
  EXPECT_FALSE(twice.persists(kSd));
  EXPECT_TRUE(step.persists(kSd));
  EXPECT_TRUE(slight.persists(kSd));
}

TEST(IncidentTest, OnePointThatIsBackDoesNotEndIt) {
  Incident incident = Opened(1, 0.2);
  for (int i = 0; i < 60; ++i) {
    incident.Add(i % 3 == 2 ? 1 : 1.2, Level(), kSd);
    ASSERT_FALSE(incident.recovered()) << i;
  }
}

TEST(IncidentTest, OneBelowIsFollowedOnItsOwnSide) {
  Incident incident = Opened(-1, 0.2);
  for (int i = 0; i < 40; ++i) incident.Add(0.7, Level(), kSd);
  EXPECT_FALSE(incident.recovered());
  EXPECT_NEAR(incident.excess(), 0.3, 1e-4);
  EXPECT_NEAR(incident.peak(), 0.3, 1e-4);
  EXPECT_NEAR(incident.expected(), 1, 1e-12);
  for (int i = 0; i < 20; ++i) incident.Add(1, Level(), kSd);
  EXPECT_TRUE(incident.recovered());
  EXPECT_NEAR(incident.peak(), 0.3, 1e-3) << "of the whole time";
}

TEST(IncidentTest, NoiseAboutTheOldLevelIsRecovery) {
  testing::Dice dice(1);
  int recovered = 0;
  for (int run = 0; run < 100; ++run) {
    Incident incident = Opened(1, 0.05);
    for (int i = 0; i < 40 && !incident.recovered(); ++i) incident.Add(1 + kSd * dice.Normal(), Level(), kSd);
    recovered += incident.recovered();
  }
  EXPECT_GE(recovered, 98);
}

}  // namespace
}  // namespace curvecast
