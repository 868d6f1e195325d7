#include "core/calibrate/prior_train.h"

#include <cmath>

#include "core/law/archetype_train.h"
#include "gtest/gtest.h"
#include "tests/unit/family/synthetic_project.h"

namespace curvecast {
namespace {

using testing::SyntheticProject;

Source Drawn(const std::string& name, unsigned seed, double level, int runs) {
  const SyntheticProject project{.seed = seed};
  Source source{.name = name, .runs = {}};
  for (int i = 0; i < runs; ++i) {
    testing::LawRun run = project.Run(i % 3, i);
    run.scale = std::exp(level);
    run.stride = 20;
    source.runs.push_back({SyntheticProject::DescentOf(i % 3, i), run.Until(1, static_cast<unsigned>(i)), run.plan});
  }
  return source;
}

TEST(PriorTrainTest, TheSameRunsGiveTheSameBits) {
  const std::vector<Source> sources = {Drawn("one", 1, 0, 12), Drawn("two", 2, 1, 12)};
  EXPECT_EQ(TrainPrior(sources).Format(), TrainPrior(sources).Format());
}

TEST(PriorTrainTest, FindsWhatCurvesWereDrawnWith) {
  const Prior prior = TrainPrior({Drawn("one", 1, 0, 30), Drawn("two", 2, 1, 30)});
  for (const RateKind kind : {RateKind::kUnknown, RateKind::kKnown}) {
    const std::vector<Archetype>& archetypes = prior.Of(kind).archetypes;
    ASSERT_EQ(archetypes.size(), 3u);  // one, two, any
    EXPECT_EQ(archetypes[0].name, "one");
    EXPECT_EQ(archetypes[2].name, "any");
    EXPECT_NEAR(archetypes[0].mean(0), 1.1, 0.06);
    EXPECT_NEAR(archetypes[1].mean(0), 2.1, 0.06);
    EXPECT_NEAR(archetypes[2].mean(0), 1.6, 0.06);
    EXPECT_NEAR(archetypes[0].noise, 0.004, 0.002);
    // Bigger runs end lower.
    EXPECT_NEAR(archetypes[0].slopes(Traits::kParameters, 0), -0.07, 0.03);
    EXPECT_FALSE(archetypes[0].knows_level) << "of three families";
  }
  const absl::StatusOr<Prior> again = Prior::Parse(prior.Format());
  ASSERT_TRUE(again.ok()) << again.status();
}

TEST(PriorTrainTest, WhatIsApartStaysOutOfThePool) {
  std::vector<Source> sources = {Drawn("one", 1, 0, 12), Drawn("odd", 2, 3, 12)};
  sources[1].apart = true;
  const Prior prior = TrainPrior(sources);
  const Prior::Kind& kind = prior.Of(RateKind::kKnown);
  ASSERT_EQ(kind.archetypes.size(), 3u);
  EXPECT_TRUE(kind.archetypes[1].apart);
  EXPECT_EQ(kind.any().runs, 12);
  EXPECT_NEAR(kind.any().mean(0), 1.1, 0.1);
}

TEST(PriorTrainTest, WithoutRunsThereIsAWideDefault) {
  const Source few = Drawn("few", 1, 0, static_cast<int>(kFewestExamples) - 1);
  for (const std::vector<Source>& sources : {std::vector<Source>(), std::vector<Source>{few}}) {
    Prior prior = TrainPrior(sources);
    EXPECT_TRUE(prior.Prepare());
    EXPECT_TRUE(Prior::Parse(prior.Format()).ok());
    EXPECT_EQ(prior.Of(RateKind::kKnown).any().runs, 0);
  }
}

TEST(PriorTrainTest, RunsThatTeachNothingChangeNothing) {
  Source clean = Drawn("one", 1, 0, 10), dirty = clean;
  const testing::LawRun run = SyntheticProject().Run(1, 0);
  Curve diverged = run.Until(1, 1), negative;
  diverged.Add(2000, std::nan(""));
  for (Step s = 1; s <= 2000; ++s) negative.Add(s, -1);
  for (const Curve& bad : {Curve(), run.Until(0.5, 1), diverged, negative}) {
    dirty.runs.push_back({{"bad", "bad", {}}, bad, run.plan});
  }
  dirty.runs.push_back({{"bad", "bad", {}}, run.Until(1, 1), Plan()});
  EXPECT_EQ(TrainPrior({dirty}).Format(), TrainPrior({clean}).Format());
}

}  // namespace
}  // namespace curvecast
