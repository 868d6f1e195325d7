#include "core/watch/watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

using What = FlagChange::What;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Step kTotal = 4000;

// A run with all its metrics, as the engine hands them over.
class WatchTest : public ::testing::Test {
 protected:
  void Log(const std::string& metric, Step step, double value) {
    Curve& curve = curves_[metric];
    curve.Add(step, value);
    watch_.Add(metric, step, value, curve);
  }
  void Train(Step from, Step to, double rise) {
    for (Step s = from; s < to; ++s) {
      Log("train/loss", s, std::exp(law_[static_cast<size_t>(s)] + noise_.Next() + rise));
    }
  }
  void Rewind(const std::string& metric, Step from) {
    curves_[metric].Rewind(from);
    watch_.Rewound(metric, from, curves_[metric]);
  }
  std::vector<Flag> Raised() {
    std::vector<Flag> raised;
    for (const FlagChange& change : watch_.TakeChanges()) {
      if (change.what == What::kRaised && change.flag.severity >= Severity::kWarning) raised.push_back(change.flag);
    }
    return raised;
  }
  bool Active(FlagKind kind) const {
    const std::vector<Flag> active = watch_.active();
    return std::any_of(active.begin(), active.end(), [kind](const Flag& flag) { return flag.kind == kind; });
  }

  const Plan plan_ = testing::Cosine(kTotal);
  const std::vector<double> law_ = testing::LawCourse(plan_, testing::CoefficientsOf(plan_, 0.5, 1));
  testing::NoiseCourse noise_{{.sd = 0.01}, 1};
  std::map<std::string, Curve> curves_;
  Watch watch_{WatchOptions{}, Prior::Shipped(), WatchedRun{"train/loss", plan_}};
};

TEST_F(WatchTest, AHealthyRunWithAllItsMetricsRaisesNothing) {
  testing::Dice dice(5);
  for (Step s = 1; s <= kTotal; ++s) {
    Train(s, s + 1, 0);
    Log("train/grad_norm", s, 0.5 * std::exp(0.2 * dice.Normal()));
    Log("lr", s, 1e-3 * plan_.schedule->RelativeRate(static_cast<double>(s)));
    if (s % 50 == 0) Log("eval/loss", s, 1.01 * std::exp(law_[static_cast<size_t>(s)] + 0.003 * dice.Normal()));
    Log("throughput", s, 1000 * dice.Uniform());
  }
  EXPECT_TRUE(Raised().empty());
  EXPECT_TRUE(watch_.active().empty());
  EXPECT_TRUE(watch_.deviation_sigma().has_value());
}

TEST_F(WatchTest, ALossThatIsNoNumberIsFlaggedAtOnceAndTheEndOfTheRunEndsIt) {
  Train(1, 1000, 0);
  Log("train/loss", 1000, kNan);
  EXPECT_TRUE(Active(FlagKind::kNonFinite));
  watch_.Ended();
  EXPECT_TRUE(watch_.active().empty());
  const std::vector<FlagChange> changes = watch_.TakeChanges();
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().flag.resolution, Resolution::kEnded);
  EXPECT_TRUE(watch_.TakeChanges().empty()) << "told once";
}

TEST_F(WatchTest, LatePointsTeachNothing) {
  Train(1, 2000, 0);
  for (Step s = 500; s < 1500; s += 3) Log("train/loss", s, 50);
  for (Step s = 500; s < 1500; s += 3) Log("train/loss", s, kNan);
  EXPECT_TRUE(Raised().empty());
  Train(2000, 2500, 0);
  EXPECT_TRUE(Raised().empty());
}

TEST_F(WatchTest, ADeviationIsRaisedAndARewindSupersedesIt) {
  Train(1, 2000, 0);
  Train(2000, 2050, 0.1);
  ASSERT_FALSE(watch_.active().empty());
  Rewind("train/loss", 1900);
  EXPECT_TRUE(watch_.active().empty());
  EXPECT_EQ(watch_.TakeChanges().back().flag.resolution, Resolution::kSuperseded);
  Train(1900, 3000, 0);
  EXPECT_TRUE(Raised().empty());
}

TEST_F(WatchTest, OnlySoManyMetricsAreWatchedBesideTheObjective) {
  for (int i = 0; i < 30; ++i) {
    const std::string name = "layer" + std::to_string(i) + "/grad_norm";
    for (Step s = 1; s < 300; ++s) Log(name, s, s == 200 ? 1e6 : 1);
  }
  EXPECT_EQ(Raised().size(), 8u);
}

TEST_F(WatchTest, ARateAndANormAreWatchedForWhatTheyAre) {
  for (Step s = 1; s < 1000; ++s) {
    Log("lr", s, (s < 500 ? 1 : 7) * 1e-3 * plan_.schedule->RelativeRate(static_cast<double>(s)));
    Log("grad_norm", s, s == 700 ? kNan : 1);
  }
  const std::vector<Flag> raised = Raised();
  ASSERT_EQ(raised.size(), 2u);
  EXPECT_EQ(raised[0].kind, FlagKind::kLrMismatch);
  EXPECT_EQ(raised[1].kind, FlagKind::kGradNorm);
  EXPECT_TRUE(Active(FlagKind::kLrMismatch));
}

TEST_F(WatchTest, ARunThatDoesNotLearnIsStuck) {
  testing::Dice dice(2);
  for (Step s = 1; s <= kTotal / 4; ++s) Log("train/loss", s, 10.8 + 0.02 * dice.Normal());
  EXPECT_TRUE(Active(FlagKind::kStuckAtStart));
}

TEST_F(WatchTest, AnAccuracyIsWatchedAsWhatIsMissing) {
  Plan plan = plan_;
  plan.maximize = true;
  Watch watch(WatchOptions{}, Prior::Shipped(), WatchedRun{"accuracy", plan});
  Curve curve;
  std::vector<FlagChange> changes;
  for (Step s = 1; s < 2200; ++s) {
    const double law = 0.1 * std::exp(law_[static_cast<size_t>(s)] - law_.back() + noise_.Next());
    const double missing = std::min(law, 0.6);  // While it warms up.
    const double accuracy = 1 - missing * (s < 2000 ? 1 : 1.5);
    curve.Add(s, accuracy);
    watch.Add("accuracy", s, accuracy, curve);
  }
  for (const FlagChange& change : watch.TakeChanges()) {
    if (change.flag.severity < Severity::kWarning) continue;
    EXPECT_GE(change.flag.raised_step, 2000);
    EXPECT_LT(change.flag.evidence.seen, change.flag.evidence.expected) << "lower is worse";
    changes.push_back(change);
  }
  EXPECT_FALSE(changes.empty());
}

// A LR_MISMATCH that is up when the run is declared anew.
TEST_F(WatchTest, ARunThatBlowsUpInItsWarmUpIsFlaggedThereOnceAndUntilItIsOver) {
  for (Step s = 1; s <= 40; ++s) Log("train/loss", s, 10 * std::pow(static_cast<double>(s), -0.1));
  for (Step s = 41; s <= 60; ++s) Log("train/loss", s, 12 + 0.1 * static_cast<double>(s % 3));
  const std::vector<Flag> raised = Raised();
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].kind, FlagKind::kDivergence);
  EXPECT_EQ(raised[0].severity, Severity::kCritical);
  EXPECT_EQ(raised[0].began_step, 41);
  EXPECT_EQ(raised[0].raised_step, 43);
  EXPECT_TRUE(Active(FlagKind::kDivergence));
  Train(61, 500, 0);
  EXPECT_FALSE(Active(FlagKind::kDivergence));
}

TEST_F(WatchTest, ADeclarationResolvesWhatItTakesAway) {
  for (Step s = 1; s < 1000; ++s) {
    Train(s, s + 1, 0);
    Log("lr", s, (s < 500 ? 1 : 7) * 1e-3 * plan_.schedule->RelativeRate(static_cast<double>(s)));
  }
  ASSERT_TRUE(Active(FlagKind::kLrMismatch));
  watch_.TakeChanges();
  watch_.Declare(WatchedRun{"train/loss", testing::Linear(kTotal)}, curves_["train/loss"]);
  const std::vector<FlagChange> changes = watch_.TakeChanges();
  EXPECT_EQ(Active(FlagKind::kLrMismatch), changes.empty()) << "it is still up, or it is said that it is not";
}

}  // namespace
}  // namespace curvecast
