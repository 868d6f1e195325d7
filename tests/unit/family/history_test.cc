#include "core/family/history.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "core/law/law.h"
#include "gtest/gtest.h"
#include "tests/unit/family/synthetic_project.h"

namespace curvecast {
namespace {

using testing::SyntheticProject;

std::optional<Belief> Lean(const History& history, const SyntheticProject& project, int family, int index,
                           History::Choice choice = {}) {
  return history.Lean(SyntheticProject::DescentOf(family, index), project.Run(family, index).plan, 0, Prior::Shipped(),
                      choice);
}

Forecast ForecastOf(const testing::LawRun& run, double fraction, unsigned seed, const std::optional<Belief>& kin) {
  return ForecastEnd(run.Until(fraction, seed), run.plan, Prior::Shipped(),
                     {.kin = kin.has_value() ? &*kin : nullptr, .factors = nullptr});
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

TEST(HistoryTest, ARunNeverLeansOnItself) {
  const SyntheticProject project;
  History history;
  history.Add(project.Finished(1, 0));
  EXPECT_FALSE(Lean(history, project, 1, 0).has_value());
  EXPECT_TRUE(Lean(history, project, 1, 1).has_value());
}

TEST(HistoryTest, ARunIsKeptOnceAndTheOldestGoesForTheNewest) {
  const SyntheticProject project;
  Relative relative = project.Finished(1, 0);
  History history;
  history.Add(relative);
  history.Add(relative);
  EXPECT_EQ(history.relatives().size(), 1u);
  for (size_t i = 0; i < History::kMaxRelatives; ++i) {
    relative.descent.run_id = "n" + std::to_string(i);
    history.Add(relative);
  }
  EXPECT_EQ(history.relatives().size(), History::kMaxRelatives);
  EXPECT_EQ(history.relatives().front().descent.run_id, "n0");
  history.Remove("n0");
  EXPECT_EQ(history.relatives().front().descent.run_id, "n1");
}

TEST(HistoryTest, OnlyRunsOfTheSameKindAreLeantOn) {
  const SyntheticProject project;
  History history;
  history.Add(project.Finished(1, 0));
  Plan unknown = project.Run(1, 1).plan;
  unknown.schedule.reset();
  EXPECT_FALSE(history.Lean(SyntheticProject::DescentOf(1, 1), unknown, 0, Prior::Shipped(), {}).has_value());
  EXPECT_FALSE(history.Lean(SyntheticProject::DescentOf(1, 1), Plan(), 0, Prior::Shipped(), {}).has_value());
}

TEST(HistoryTest, WithoutSiblingsOnlyOtherFamiliesCount) {
  const SyntheticProject project;
  History siblings, all;
  for (int i = 1; i < 6; ++i) {
    siblings.Add(project.Finished(1, i));
    all.Add(project.Finished(1, i));
    all.Add(project.Finished(2, i));
  }
  const History::Choice none{.siblings = 0};
  EXPECT_FALSE(Lean(siblings, project, 1, 0, none).has_value());
  History others;
  for (int i = 1; i < 6; ++i) others.Add(project.Finished(2, i));
  EXPECT_EQ(Lean(all, project, 1, 0, none)->mean, Lean(others, project, 1, 0)->mean);
}

// In which order runs finish, and who else is asked about, makes no difference where all of them are chosen.
TEST(HistoryTest, TheSameHistoryGivesTheSameBits) {
  const SyntheticProject project;
  History history, backwards;
  for (int i = 1; i < 30; ++i) history.Add(project.Finished(i % 3, i));
  for (int i = 29; i > 0; --i) backwards.Add(project.Finished(i % 3, i));
  const std::optional<Belief> a = Lean(history, project, 1, 0), b = Lean(history, project, 1, 0),
                              c = Lean(backwards, project, 1, 0);
  EXPECT_EQ(std::memcmp(a->mean.data(), b->mean.data(), sizeof a->mean), 0);
  EXPECT_EQ(std::memcmp(a->covariance.data(), b->covariance.data(), sizeof a->covariance), 0);
  EXPECT_EQ(a->mean, c->mean);
  EXPECT_EQ(a->covariance, c->covariance);
  const testing::LawRun run = project.Run(1, 0);
  EXPECT_EQ(ForecastOf(run, 0.3, 7, a).quantiles, ForecastOf(run, 0.3, 7, c).quantiles);
}

TEST(HistoryTest, ScalingAllLossesOfTheProjectScalesTheAnswer) {
  const SyntheticProject plain;
  for (const double scale : {1e-3, 7.0, 1e6}) {
    SyntheticProject scaled;
    scaled.scale = scale;
    History of_plain, of_scaled;
    for (int i = 1; i < 12; ++i) {
      of_plain.Add(plain.Finished(1, i));
      of_scaled.Add(scaled.Finished(1, i));
    }
    const Forecast a = ForecastOf(plain.Run(1, 0), 0.3, 7, Lean(of_plain, plain, 1, 0));
    const Forecast b = ForecastOf(scaled.Run(1, 0), 0.3, 7, Lean(of_scaled, scaled, 1, 0));
    ASSERT_TRUE(a.answered() && b.answered());
    for (size_t q = 0; q < 5; ++q) EXPECT_NEAR(b.quantiles[q] / scale / a.quantiles[q], 1, 1e-5) << scale;
  }
}

// Of a held-out set, as siblings are added. A median of 240 errors is itself uncertain by a tenth.
TEST(HistoryTest, MoreSiblingsNeverMakeTheMedianErrorWorseByMoreThanNoise) {
  constexpr double kNoise = 0.15;
  constexpr int kHeldOut = 6;
  for (const double fraction : {0.2, 0.5}) {
    std::map<size_t, std::vector<double>> errors;
    std::map<size_t, int> covered;
    for (unsigned seed = 1; seed <= 40; ++seed) {
      const SyntheticProject project{.seed = seed};
      History history;
      for (int i = 0; i < 30; ++i) history.Add(project.Finished(1, 100 + i));
      for (int i = 0; i < 15; ++i) history.Add(project.Finished(2 + i % 3, 100 + i));
      for (int i = 0; i < kHeldOut; ++i) {
        const testing::LawRun run = project.Run(1, i);
        for (const size_t siblings : {0, 1, 3, 10, 30}) {
          const std::optional<Belief> kin = Lean(history, project, 1, i, {.siblings = siblings});
          const Forecast f = ForecastOf(run, fraction, seed, kin);
          ASSERT_TRUE(f.answered());
          errors[siblings].push_back(std::fabs(f.median() / run.end() - 1));
          covered[siblings] += f.quantiles[0] <= run.end() && run.end() <= f.quantiles[4] ? 1 : 0;
        }
      }
    }
    double best = Median(errors[0]);
    for (const auto& [siblings, of] : errors) {
      const double median = Median(of);
      SCOPED_TRACE(::testing::Message() << siblings << " siblings at " << fraction << ": " << 100 * median << " %");
      EXPECT_LE(median, (1 + kNoise) * best);
      EXPECT_GE(covered[siblings], 0.85 * static_cast<double>(of.size()));
      best = std::min(best, median);
    }
    EXPECT_LT(Median(errors[30]), 0.7 * Median(errors[0])) << "so that the above says something";
  }
}

TEST(RelativeTest, FindsTheEndOfItsRun) {
  const SyntheticProject project;
  for (int i = 0; i < 10; ++i) {
    const Relative relative = project.Finished(1, i);
    EXPECT_NEAR(relative.coefficients(0), project.Run(1, i).at(0), 0.004);
    EXPECT_NEAR(relative.noise, 0.004, 0.002);
    EXPECT_LT(relative.stray, 0.008);
    EXPECT_LT(std::fabs(relative.bend.end), 0.012);
  }
}

TEST(RelativeTest, TheBendIsWhatTheCurveIsBesideTheLaw) {
  testing::LawRun run = SyntheticProject().Run(1, 0);
  run.noise = 1e-4;
  const Curve smooth = run.Until(1, 1);
  Curve bent;
  for (const Bin& bin : smooth.bins()) {
    const bool dented = bin.mean_step > 880 && bin.mean_step < 1120;
    bent.Add(bin.last_step, bin.mean * (dented ? 0.98 : 1));
  }
  const std::optional<Relative> relative = MakeRelative({"r", "f", {}}, bent, run.plan, Prior::Shipped());
  ASSERT_TRUE(relative.has_value());
  EXPECT_LT(relative->bend.At(0.5), -0.008);
  EXPECT_LT(std::fabs(relative->bend.At(0.9)), 0.008);
}

TEST(RelativeTest, ARunThatTellsNothingOfItsEndIsNone) {
  const testing::LawRun run = SyntheticProject().Run(1, 0);
  const Curve whole = run.Until(1, 1);
  const auto make = [](const Curve& curve, const Plan& plan) {
    return MakeRelative({"r", "f", {}}, curve, plan, Prior::Shipped()).has_value();
  };
  EXPECT_TRUE(make(whole, run.plan));
  EXPECT_FALSE(make(run.Until(0.9, 1), run.plan));
  EXPECT_FALSE(make(Curve(), run.plan));
  EXPECT_FALSE(make(whole, Plan()));
  Plan maximised = run.plan;
  maximised.maximize = true;
  EXPECT_FALSE(make(whole, maximised));
  Curve diverged = whole, negative = whole;
  diverged.Add(2000, std::nan(""));
  EXPECT_FALSE(make(diverged, run.plan));
  for (Step s = 1900; s < 2000; ++s) negative.Add(s, -100);
  EXPECT_FALSE(make(negative, run.plan));
}

}  // namespace
}  // namespace curvecast
