#include "core/watch/rate_check.h"

#include <functional>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

using What = FlagChange::What;

constexpr Step kTotal = 10'000;  // The first 200 warm up.

// A job that declares this plan and logs these rates.
class Job {
 public:
  explicit Job(const Plan& plan) : check("lr", plan.schedule), schedule_(*plan.schedule) {}

  double Declared(Step step) const { return schedule_.peak_lr() * schedule_.RelativeRate(static_cast<double>(step)); }
  // From, to (not included) and by so many steps.
  void Log(Step from, Step to, Step stride, const std::function<double(Step)>& rate) {
    for (Step s = from; s < to; s += stride) check.Add(s, rate(s), changes);
  }
  RateCheck check;
  std::vector<FlagChange> changes;

 private:
  LrSchedule schedule_;
};

TEST(RateCheckTest, ARateThatIsTheDeclaredOneIsNoNews) {
  for (const Plan& plan : {testing::Cosine(kTotal), testing::Wsd(kTotal), testing::Stepped(kTotal),
                           testing::ConstantRate(kTotal), testing::Linear(kTotal)}) {
    for (const Step stride : {1, 10, 250}) {
      Job job(plan);
      job.Log(0, kTotal + 1, stride, [&](Step s) { return job.Declared(s); });
      EXPECT_TRUE(job.changes.empty()) << stride;
    }
  }
}

TEST(RateCheckTest, AStepMoreOrLessIsNoDifference) {
  for (const Step shift : {-1, 1}) {
    for (const Plan& plan : {testing::Cosine(kTotal), testing::Stepped(kTotal), testing::Cosine(300)}) {
      Job job(plan);
      job.Log(1, *plan.total_steps, 1, [&](Step s) { return job.Declared(s + shift); });
      EXPECT_TRUE(job.changes.empty()) << shift;
    }
  }
}

TEST(RateCheckTest, AFactorThroughoutIsToldOnceAsInfo) {
  Job job(testing::Cosine(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return 0.1 * job.Declared(s); });
  ASSERT_EQ(job.changes.size(), 2u);
  EXPECT_EQ(job.changes[0].what, What::kRaised);
  EXPECT_EQ(job.changes[0].flag.kind, FlagKind::kLrMismatch);
  EXPECT_EQ(job.changes[0].flag.severity, Severity::kInfo);
  EXPECT_EQ(job.changes[0].flag.metric, "lr");
  EXPECT_EQ(job.changes[1].what, What::kResolved);
  EXPECT_EQ(job.changes[1].flag.resolution, Resolution::kAccepted);
  EXPECT_FALSE(job.check.flag().up());
}

TEST(RateCheckTest, TenTimesTheRateFromAStepOnIsAWarningUntilItIsOver) {
  Job job(testing::Cosine(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return (s >= 4000 && s < 6000 ? 10 : 1) * job.Declared(s); });
  ASSERT_EQ(job.changes.size(), 2u);
  const Flag& raised = job.changes[0].flag;
  EXPECT_EQ(raised.severity, Severity::kWarning);
  EXPECT_EQ(raised.began_step, 4001);
  EXPECT_LE(raised.raised_step, 4050);
  EXPECT_GE(raised.evidence.statistic, raised.evidence.threshold);
  EXPECT_NEAR(raised.evidence.seen / raised.evidence.expected, 10, 0.1);
  EXPECT_EQ(job.changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_LE(job.changes[1].flag.updated_step, 6050);
}

TEST(RateCheckTest, AnotherShapeIsAWarning) {
  const Plan linear = testing::Linear(kTotal);
  Job job(testing::Cosine(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return 1e-3 * linear.schedule->RelativeRate(static_cast<double>(s)); });
  ASSERT_FALSE(job.changes.empty());
  EXPECT_EQ(job.changes[0].flag.severity, Severity::kWarning);
}

TEST(RateCheckTest, AConstantRateInsteadOfADecayIsAWarning) {
  Job job(testing::Wsd(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return s < 200 ? job.Declared(s) : 1e-3; });
  ASSERT_EQ(job.changes.size(), 1u);
  EXPECT_EQ(job.changes[0].flag.severity, Severity::kWarning);
  EXPECT_GE(job.changes[0].flag.began_step, kTotal * 8 / 10);
  EXPECT_LE(job.changes[0].flag.began_step, kTotal * 83 / 100);
}

TEST(RateCheckTest, ALongerWarmupIsSeenAndOverWhenItIs) {
  Job job(testing::ConstantRate(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return 1e-3 * std::min(1.0, static_cast<double>(s) / 2000); });
  ASSERT_EQ(job.changes.size(), 2u);
  EXPECT_EQ(job.changes[0].flag.severity, Severity::kWarning);
  EXPECT_EQ(job.changes[1].flag.resolution, Resolution::kRecovered);
  EXPECT_NEAR(static_cast<double>(job.changes[1].flag.updated_step), 1930, 100);
}

TEST(RateCheckTest, OneOddRateIsNoNews) {
  Job job(testing::Cosine(kTotal));
  job.Log(1, kTotal, 10, [&](Step s) { return (s % 500 == 1 ? 3 : 1) * job.Declared(s); });
  EXPECT_TRUE(job.changes.empty());
}

TEST(RateCheckTest, WithoutAScheduleOrANumberItSaysNothing) {
  std::vector<FlagChange> changes;
  RateCheck none("lr", std::nullopt);
  for (Step s = 1; s < 1000; ++s) none.Add(s, s % 2 == 0 ? 1 : 100, changes);
  Job job(testing::Cosine(kTotal));
  job.Log(1, kTotal, 10, [](Step s) {
    return s % 20 == 1 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  });
  EXPECT_TRUE(changes.empty());
  EXPECT_TRUE(job.changes.empty());
}

TEST(RateCheckTest, AfterARewindTheRatesAreComparedAgain) {
  Job job(testing::Cosine(kTotal));
  job.Log(1, 5000, 10, [&](Step s) { return job.Declared(s); });
  job.check.Supersede(2000, job.changes);
  job.Log(2000, 4000, 10, [&](Step s) { return 5 * job.Declared(s); });
  ASSERT_EQ(job.changes.size(), 1u);
  EXPECT_EQ(job.changes[0].flag.began_step, 2000);
}

}  // namespace
}  // namespace curvecast
