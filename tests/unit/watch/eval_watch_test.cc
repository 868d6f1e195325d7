#include "core/watch/eval_watch.h"

#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

constexpr Step kTotal = 4000;

// An evaluation every 10 steps of a run under a cosine; `rise` of the log loss, and whether the train loss rises too.
std::vector<FlagChange> Evaluate(const std::function<double(Step)>& rise, bool train_above, uint64_t seed) {
  const Plan plan = testing::Cosine(kTotal);
  const std::vector<double> law = testing::LawCourse(plan, testing::CoefficientsOf(plan, 0.5, seed));
  testing::NoiseCourse noise({.sd = 0.004}, seed);
  EvalWatch watch(Prior::Shipped(), "eval/loss", plan);
  Curve curve;
  std::vector<FlagChange> changes;
  for (Step s = 10; s <= kTotal; s += 10) {
    const double loss = std::exp(law[static_cast<size_t>(s)] + noise.Next() + rise(s));
    curve.Add(s, loss);
    watch.Add(s, loss, curve, 1e6, train_above, changes);
  }
  return changes;
}

double RiseFrom2000(Step s) { return s < 2000 ? 0 : 2e-4 * static_cast<double>(s - 2000); }

TEST(EvalWatchTest, ALossThatKeepsToItsLawIsNoNews) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_TRUE(Evaluate([](Step) { return 0.0; }, false, seed).empty()) << seed;
  }
}

TEST(EvalWatchTest, ARiseThatTheTrainLossDoesNotShareIsOverfitting) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto changes = Evaluate(RiseFrom2000, false, seed);
    ASSERT_FALSE(changes.empty()) << seed;
    const Flag& flag = changes[0].flag;
    EXPECT_EQ(flag.kind, FlagKind::kOverfit);
    EXPECT_EQ(flag.severity, Severity::kWarning);
    EXPECT_EQ(flag.metric, "eval/loss");
    EXPECT_GE(flag.began_step, 1800) << seed;
    EXPECT_LE(flag.began_step, flag.raised_step);
    EXPECT_LE(flag.raised_step, 2800) << seed;
    EXPECT_GT(flag.raised_step, 2000) << seed;
  }
}

TEST(EvalWatchTest, ARiseThatTheTrainLossSharesIsTheTrainLossesBusiness) {
  for (uint64_t seed = 1; seed <= 5; ++seed) EXPECT_TRUE(Evaluate(RiseFrom2000, true, seed).empty()) << seed;
}

TEST(EvalWatchTest, ABetterLossIsNoNews) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_TRUE(Evaluate([](Step s) { return s < 2000 ? 0 : -0.1; }, false, seed).empty()) << seed;
  }
}

}  // namespace
}  // namespace curvecast
