#include <cmath>
#include <limits>
#include <random>

#include "client/cli/laws/project_laws.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunSpec Spec(const std::string& id, double parameters, Step total) {
  RunSpec spec;
  spec.key = {"p", id};
  spec.family = "p/" + std::to_string(static_cast<int>(parameters / 1e6)) + "M";
  spec.objective = "train/loss";
  spec.total_steps = total;
  spec.parameters = parameters;
  spec.tokens_per_step = 1e5;
  spec.schedule = ScheduleSpec{.peak_lr = 1e-3, .warmup_steps = 50};
  return spec;
}

ObjectiveCurve CurveTo(Step last, double end) {
  ObjectiveCurve curve;
  for (Step s = 10; s <= last; s += 10) {
    curve.steps.push_back(static_cast<double>(s));
    curve.values.push_back(end * (0.9 + 0.1 * std::sqrt(static_cast<double>(last) / static_cast<double>(s))));
  }
  return curve;
}

// Runs of the published law: six sizes by six lengths.
ProjectRuns Published() {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  ProjectRuns runs("p");
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      const double n = 1e7 * std::pow(2.5, i);
      const auto total = static_cast<Step>(3000 * std::pow(3, j));
      const double d = 1e5 * static_cast<double>(total);
      const double end = std::exp(PublishedChinchilla().LogLoss(std::log(n), std::log(d)) + 0.001 * normal(engine));
      ObjectiveCurve curve = CurveTo(3000, end);
      for (double& step : curve.steps) step *= std::pow(3, j);
      runs.Add(Spec(std::to_string(i) + "_" + std::to_string(j), n, total), curve);
    }
  }
  return runs;
}

TEST(ProjectRunsTest, TakesCompleteRunsAndCountsTheOthersByReason) {
  ProjectRuns runs("p");
  runs.Add(Spec("done", 1e7, 1000), CurveTo(1000, 3));
  runs.Add(Spec("nearly", 1e7, 1000), CurveTo(970, 3));
  runs.Add(Spec("half", 1e7, 1000), CurveTo(960, 3));
  runs.Add(Spec("empty", 1e7, 1000), {});
  runs.Add(Spec("broken", 1e7, 1000), CurveTo(1000, std::numeric_limits<double>::quiet_NaN()));
  RunSpec spec = Spec("accuracy", 1e7, 1000);
  spec.maximize = true;
  runs.Add(spec, CurveTo(1000, 0.9));
  spec = Spec("endless", 1e7, 1000);
  spec.total_steps.reset();
  spec.schedule.reset();
  runs.Add(spec, CurveTo(1000, 3));
  spec = Spec("other", 1e7, 1000);
  spec.objective = "eval/loss";
  runs.Add(spec, CurveTo(1000, 3));
  const ProjectRuns::Usable usable = runs.Choose();
  EXPECT_EQ(usable.objective, "train/loss");
  EXPECT_EQ(usable.runs, 2);
  EXPECT_THAT(runs.LeftOut(),
              ::testing::UnorderedElementsAre(std::pair("not complete, or the end is no number above 0", 3),
                                              std::pair("objective is maximised", 1), std::pair("no totalSteps", 1),
                                              std::pair("objective eval/loss", 1)));
}

TEST(ProjectRunsTest, TheEndIsTheMeanOverTheLastPerCentAndWarmUpIsLeftOut) {
  ProjectRuns runs("p");
  ObjectiveCurve curve{.steps = {40, 60, 990, 991, 1000}, .values = {9, 5, 7, 2, 3}, .counts = {}};
  runs.Add(Spec("points", 1e7, 1000), curve);
  curve.counts = {1, 1, 1, 3, 1};
  runs.Add(Spec("bins", 1e7, 1000), curve);
  RunSpec spec = Spec("no tokens", 1e7, 1000);
  spec.tokens_per_step.reset();
  runs.Add(spec, curve);
  const ProjectRuns::Usable usable = runs.Choose();
  ASSERT_EQ(usable.ends.size(), 2);
  EXPECT_DOUBLE_EQ(usable.ends[0].loss, 2.5);
  EXPECT_DOUBLE_EQ(usable.ends[1].loss, 2.25);
  EXPECT_DOUBLE_EQ(usable.ends[0].tokens, 1e8);
  ASSERT_EQ(usable.curves.size(), 3);
  EXPECT_EQ(usable.curves[0].steps, (std::vector<double>{60, 990, 991, 1000}));
  EXPECT_EQ(usable.curves[0].batch_tokens, 1e5);
  EXPECT_EQ(usable.curves[2].batch_tokens, 0);
}

TEST(ProjectLawsTest, TextShowsExponentsBesideThePublishedOnes) {
  const auto laws = FitProjectLaws(Published(), true);
  ASSERT_TRUE(laws.ok()) << laws.status();
  ASSERT_TRUE(laws->typical.law.has_value()) << laws->typical.why_no_law;
  const std::string text = LawsText(*laws, true);
  EXPECT_THAT(text, HasSubstr("p: 36 finished runs, objective train/loss"));
  EXPECT_THAT(text, ::testing::ContainsRegex("alpha +0.3478 +0.3[0-9]+ \\+- 0.0"));
  EXPECT_THAT(text, ::testing::ContainsRegex("  E +1.817 +1.[78]"));
  EXPECT_THAT(text, HasSubstr("without its size and length: 36 of 36 runs answered"));
  EXPECT_THAT(text, Not(HasSubstr("±")));
  EXPECT_THAT(LawsText(*laws, false), HasSubstr("±"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(ProjectLawsTest, JsonHoldsTheSameNumbers) {
  const auto laws = FitProjectLaws(Published(), false);
  ASSERT_TRUE(laws.ok());
  const google::protobuf::Struct json = LawsJson(*laws);
  const auto& chinchilla = json.fields().at("chinchilla").struct_value().fields();
  const auto& alpha = chinchilla.at("median").struct_value().fields().at("alpha").struct_value().fields();
  EXPECT_EQ(alpha.at("value").number_value(), laws->typical.law->alpha.value);
  EXPECT_EQ(alpha.at("standardError").number_value(), laws->typical.law->alpha.sd);
  EXPECT_EQ(
      chinchilla.at("published").struct_value().fields().at("beta").struct_value().fields().at("value").number_value(),
      0.3658);
  EXPECT_EQ(json.fields().at("cells").list_value().values_size(), 36);
  EXPECT_EQ(json.fields().count("check"), 0);
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(json, &text).ok());
}

TEST(ProjectLawsTest, WhatIsNotIdentifiedIsSaidWithItsReason) {
  ProjectRuns runs("p");
  for (Step total : {1000, 2000, 4000, 8000, 16000}) {
    runs.Add(Spec(std::to_string(total), 1e7, total), CurveTo(total, 4 * std::pow(static_cast<double>(total), -0.05)));
  }
  const auto laws = FitProjectLaws(runs, true);
  ASSERT_TRUE(laws.ok());
  const std::string text = LawsText(*laws, true);
  EXPECT_THAT(text, HasSubstr("not identified: the runs have 1 distinct sizes; L(N, D) needs 5"));
  EXPECT_THAT(text, HasSubstr("L(D) at equal N, alphaD: 0.0499"));
  EXPECT_THAT(text, HasSubstr("L(N) at equal D, alphaN: not identified"));
  EXPECT_THAT(text, HasSubstr("S as given: not identified: the runs are of 1 families and sizes"));
  const google::protobuf::Struct json = LawsJson(*laws);
  EXPECT_THAT(json.fields()
                  .at("chinchilla")
                  .struct_value()
                  .fields()
                  .at("median")
                  .struct_value()
                  .fields()
                  .at("notIdentified")
                  .string_value(),
              HasSubstr("1 distinct sizes"));
}

TEST(ProjectLawsTest, AProjectWithoutAFinishedRunHasNone) {
  const auto laws = FitProjectLaws(ProjectRuns("p"), true);
  ASSERT_TRUE(laws.ok());
  EXPECT_EQ(LawsText(*laws, true), "p: 0 finished runs\n");
}

TEST(ProjectLawsTest, TokensThatOverflowAreAnErrorAndNoNumber) {
  ProjectRuns runs("p");
  RunSpec spec = Spec("huge", 1e308, 1000);
  spec.tokens_per_step = 1e308;
  runs.Add(spec, CurveTo(1000, 3));
  const auto laws = FitProjectLaws(runs, false);
  EXPECT_EQ(laws.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(laws.status().message()), HasSubstr("tokens: is inf"));
}

}  // namespace
}  // namespace curvecast
