#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "client/cli/backtest/backtest.h"
#include "gmock/gmock.h"
#include "tests/bench/peers/finished_run.h"
#include "tests/bench/peers/score_table.h"
#include "tests/bench/peers/told.h"

namespace curvecast::peers {
namespace {

using ::testing::HasSubstr;

class PeerScoresTest : public ::testing::Test {
 protected:
  PeerScoresTest()
      : folder_(testing::TempDir() + "peer_scores_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  std::string WriteRun(const std::string& id, int last) {
    const std::string path = folder_ + "/" + id + ".jsonl";
    std::ofstream out(path);
    out << R"({"run":{"project":"p","runId":")" << id << R"(","totalSteps":1000,"schedule":{"peakLr":1}}})"
        << "\n";
    for (int s = 1; s <= last; ++s) {
      out << R"({"points":{"metric":"train/loss","step":[)" << s << R"(],"value":[)" << 2 + 10.0 / s << "]}}\n";
    }
    return path;
  }

  const std::string folder_;
};

TEST_F(PeerScoresTest, CountsTheRunsThatBacktestCountsWithItsTruth) {
  BacktestOptions options;
  options.output = BacktestOptions::Output::kJson;
  options.fractions = {0.5};
  for (int last : {1000, 995, 971, 969, 500}) {
    options.runs = {WriteRun("r" + std::to_string(last), last)};
    std::ostringstream out, err;
    RunBacktest(options, out, err);
    const auto run = ReadFinishedRun(options.runs[0]);
    ASSERT_TRUE(run.ok());
    ASSERT_EQ(run->has_value(), !out.str().empty()) << last;
    if (!run->has_value()) continue;
    const std::string line = out.str();
    const double actual = std::stod(line.substr(line.rfind("\"actual\":") + 9));
    EXPECT_DOUBLE_EQ((*run)->actual, actual) << last;
    EXPECT_EQ((*run)->Until(0.5).steps.size(), 500);

    std::istringstream in(line);
    const auto told = ReadForecasts(in, "out");
    ASSERT_TRUE(told.ok()) << told.status();
    EXPECT_EQ(told->count({"p", "r" + std::to_string(last), FractionKey(0.5)}), 1);
  }
}

TEST_F(PeerScoresTest, AsksEvenlySpacedRunsAndKeepsTheOthersAsSiblings) {
  for (int i = 0; i < 9; ++i) WriteRun("r" + std::to_string(i), 1);
  const auto files = ChooseRunFiles({folder_}, 3);
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 9);
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ((*files)[i].asked, i % 4 == 0) << i;
  EXPECT_FALSE(ChooseRunFiles({folder_ + "/none"}, 3).ok());
}

TEST_F(PeerScoresTest, ForecastsThatAreNoneAreNamedByLine) {
  std::istringstream good(
      R"({"project":"p","runId":"a","fraction":0.2,"forecast":{"status":"OK","quantiles":{"0.05":1,"0.5":2,"0.95":3}}})"
      "\n"
      R"({"project":"p","runId":"a","fraction":0.5,"forecast":{"status":"NOT_YET","reason":"x"}})");
  const auto told = ReadForecasts(good, "f");
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->at({"p", "a", 2000}).end, 2);
  EXPECT_EQ(told->at({"p", "a", 2000}).range, std::pair(1.0, 3.0));
  EXPECT_FALSE(told->at({"p", "a", 5000}).end.has_value());
  for (const char* bad : {"nonsense", "{}", R"({"project":"p","runId":"a","fraction":"NaN","forecast":{}})"}) {
    std::istringstream in(std::string("\n") + bad);
    EXPECT_THAT(std::string(ReadForecasts(in, "f").status().message()), HasSubstr("f:2")) << bad;
  }
}

TEST(ScoreTableTest, GivesShareAnsweredQuantilesAndCover) {
  ScoreTable table({"a", "b"});
  for (int i = 1; i <= 4; ++i)
    table.Add("p", 0.5, 0, {.end = 2 + 0.02 * i, .range = std::pair(2.0, 2.03 + 0.02 * i)}, 2);
  table.Add("p", 0.5, 0, {.end = 1.9, .range = std::pair(1.0, 1.95)}, 2);
  table.Add("p", 0.5, 1, {}, 2);
  table.Add("q", 0.5, 1, {.end = 3, .range = {}}, 2);
  const std::string text = table.Text();
  EXPECT_THAT(
      text,
      HasSubstr("p                       0.5 a                        5      1.00      3.00     4.60      0.80\n"));
  EXPECT_THAT(
      text,
      HasSubstr("p                       0.5 b                        1      0.00         -        -         -\n"));
  EXPECT_THAT(
      text,
      HasSubstr("ALL                     0.5 b                        2      0.50     50.00    50.00         -\n"));
}

TEST(ScoreTableTest, PercentilesAreLinearBetweenRanks) {
  EXPECT_DOUBLE_EQ(Percentile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile({1, 2, 3, 4}, 0.9), 3.7);
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.9), 7);
}

}  // namespace
}  // namespace curvecast::peers
