#include "core/law/prior.h"

#include <cmath>
#include <random>
#include <string>

#include "core/law/prior_train.h"
#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

TEST(PriorTest, TheShippedOneSurvivesItsTextForm) {
  const std::string text = Prior::Shipped().Format();
  const absl::StatusOr<Prior> again = Prior::Parse(text);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->Format(), text);
}

TEST(PriorTest, RefusesOtherTextWithTheLine) {
  EXPECT_THAT(std::string(Prior::Parse("curvecast-prior 2\n").status().message()), HasSubstr("line 1"));
  EXPECT_THAT(std::string(Prior::Parse("").status().message()), HasSubstr("no archetype"));
  std::string text = Prior::Shipped().Format();
  EXPECT_THAT(std::string(Prior::Parse("curvecast-prior 1\nkind other\n").status().message()), HasSubstr("line 2"));
  text.resize(text.rfind("node"));
  EXPECT_THAT(std::string(Prior::Parse(text).status().message()), HasSubstr("nodes; the bank has"));
}

TEST(PriorTest, RefusesNumbersThatAreNoPrior) {
  const std::string start = "curvecast-prior 1\nkind constant\narchetype a runs 1 families 1\n";
  for (const char* node :
       {"node 0 0 nan 0 1 1", "node 0 0 -1 0 1 1", "node 0 0 1 2 1 1", "node 0 0 1 0 1 0", "node 0 0"}) {
    EXPECT_THAT(std::string(Prior::Parse(start + node).status().message()), HasSubstr("line 4")) << node;
  }
}

// Runs drawn from one node of the bank, with known coefficients.
Source Drawn(const std::string& name, double c2, double c3, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Source source{.name = name, .runs = {}};
  for (int r = 0; r < 12; ++r) {
    // Half of them hold the rate for most of the run, so that the two terms can be told apart.
    ScheduleSpec spec;
    spec.peak_lr = 1;
    spec.decay = Decay::kLinear;
    spec.decay_start_step = r % 2 == 0 ? 0 : 1500;
    FinishedRun run{.family = name, .curve = {}, .plan = {}};
    run.plan.total_steps = 2000;
    run.plan.schedule = *LrSchedule::Create(spec, 2000);
    for (Step s = 10; s <= 2000; s += 10) {
      const double t = static_cast<double>(s),
                   x = run.plan.schedule->SummedRate(t) / run.plan.schedule->SummedRate(2000);
      const double rate = std::max(run.plan.schedule->RelativeRate(t), 1e-3);
      const double level = c2 * (std::pow(x, -0.4) - 1) / 0.4 + c3 * (std::pow(rate, 0.75) - std::pow(1e-3, 0.75));
      run.curve.Add(s, 3 * std::exp(level + 0.002 * normal(random)));
    }
    source.runs.push_back(std::move(run));
  }
  return source;
}

TEST(PriorTrainTest, FindsTheCoefficientsThatCurvesWereDrawnWith) {
  const Prior prior = TrainPrior({Drawn("one", 0.08, 0.05, 1), Drawn("two", 0.04, 0.15, 2)});
  const std::vector<Archetype>& archetypes = prior.Of(RateKind::kDecaying).archetypes;
  ASSERT_EQ(archetypes.size(), 4u);  // one, two, any, free
  const std::vector<Node>& bank = Bank(RateKind::kDecaying);
  for (size_t n = 0; n < bank.size(); ++n) {
    if (bank[n].exponent != 0.4 || bank[n].anneal != Anneal::kRatePower || bank[n].parameter != 0.75) continue;
    EXPECT_NEAR(archetypes[0].nodes[n].mean2, 0.08, 0.005);
    EXPECT_NEAR(archetypes[0].nodes[n].mean3, 0.05, 0.005);
    EXPECT_NEAR(archetypes[1].nodes[n].mean2, 0.04, 0.005);
    EXPECT_NEAR(archetypes[1].nodes[n].mean3, 0.15, 0.005);
    EXPECT_NEAR(archetypes[2].nodes[n].mean3, 0.10, 0.005);
  }
  EXPECT_TRUE(Prior::Parse(prior.Format()).ok());
}

TEST(PriorTrainTest, WidensUntilNineInTenAreInside) {
  std::vector<Outcome> outcomes;
  for (const char* source : {"a", "b", "c"}) {
    for (int i = 0; i < 100; ++i) {
      Outcome o{
          .source = source, .kind = RateKind::kUnknown, .progress = 0.5, .forecast = {}, .actual = std::exp(0.02 * i)};
      o.forecast.reason = NotYet::kAnswered;
      o.forecast.quantiles = {std::exp(-0.1), 0.95, 1, 1.05, std::exp(0.1)};
      outcomes.push_back(o);
    }
  }
  Prior prior = Prior::Shipped();
  LearnWiden(outcomes, prior);
  EXPECT_NEAR(prior.Of(RateKind::kUnknown).widen[3], 18, 0.5);  // 0.02 x 90 over 0.1.
}

}  // namespace
}  // namespace curvecast
