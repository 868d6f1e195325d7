#include "client/cli/backtest/backtest.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/backtest/backtest_output.h"
#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

class BacktestTest : public ::testing::Test {
 protected:
  BacktestTest() : folder_(testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.runs = {folder_};
  }

  // A power law that runs up to `last` of 1000 steps.
  void WriteRun(const std::string& id, int last) {
    std::ofstream out(folder_ + "/" + id + ".jsonl");
    out << R"({"run":{"project":"p","runId":")" << id << R"(","totalSteps":1000,"schedule":{"peakLr":1}}})"
        << "\n";
    for (int s = 1; s <= last; ++s) {
      out << R"({"points":{"metric":"train/loss","step":[)" << s << R"(],"value":[)" << 2 * std::pow(s / 1000.0, -0.07)
          << "]}}\n";
    }
  }

  int Run() { return RunBacktest(options_, out_, err_); }

  std::string Json(const std::string& history) {
    options_.history = history;
    options_.output = BacktestOptions::Output::kJson;
    out_.str("");
    EXPECT_EQ(Run(), kBacktestDone) << err_.str();
    return out_.str();
  }

  const std::string folder_;
  BacktestOptions options_;
  std::ostringstream out_, err_;
};

TEST_F(BacktestTest, WritesOneLineForEachRunAndFractionInOrder) {
  WriteRun("a", 1000);
  WriteRun("b", 1000);
  options_.fractions = {0.5, 0.2};
  options_.output = BacktestOptions::Output::kJson;
  ASSERT_EQ(Run(), kBacktestDone) << err_.str();
  std::istringstream lines(out_.str());
  std::string line;
  for (const char* id : {"a", "b"}) {
    for (const char* at : {R"("fraction":0.2,"step":200)", R"("fraction":0.5,"step":500)"}) {
      ASSERT_TRUE(std::getline(lines, line));
      EXPECT_THAT(line, HasSubstr(std::string(R"({"project":"p","runId":")") + id + R"(","family":"p",)" + at));
      EXPECT_THAT(line, HasSubstr(R"("forecast":{"status":"OK","quantiles":{"0.05":)"));
      EXPECT_THAT(line, HasSubstr(R"(},"actual":2.0)"));
    }
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(BacktestTest, ARunThatLogsItsRateIsForecastAsIfItHadDeclaredIt) {
  for (const bool declares : {true, false}) {
    std::ofstream out(folder_ + (declares ? "/a.jsonl" : "/b.jsonl"));
    out << R"({"run":{"project":"p","runId":")" << (declares ? "a" : "b") << R"(","totalSteps":1000)"
        << (declares ? R"(,"schedule":{"peakLr":1,"decay":"LINEAR"})" : "") << "}}\n";
    for (int s = 1; s <= 1000; ++s) {
      out << R"({"points":{"metric":"train/loss","step":[)" << s << R"(],"value":[)" << 2 * std::pow(s / 1000.0, -0.07)
          << "]}}\n";
      out << R"({"points":{"metric":"optim/lr","step":[)" << s << R"(],"value":[)" << 1 - s / 1000.0 << "]}}\n";
    }
  }
  options_.fractions = {0.5};
  options_.output = BacktestOptions::Output::kJson;
  ASSERT_EQ(Run(), kBacktestDone) << err_.str();
  std::istringstream lines(out_.str());
  std::string declared, logged;
  ASSERT_TRUE(std::getline(lines, declared) && std::getline(lines, logged));
  const auto median = [](const std::string& line) { return std::stod(line.substr(line.find("\"0.5\":") + 6)); };
  EXPECT_NEAR(median(logged), median(declared), 1e-4);
}

TEST_F(BacktestTest, GivesTheSameLinesOnAnyNumberOfThreads) {
  for (int i = 0; i < 9; ++i) WriteRun("r" + std::to_string(i), 1000);
  options_.output = BacktestOptions::Output::kJson;
  options_.threads = 1;
  ASSERT_EQ(Run(), kBacktestDone);
  const std::string one = out_.str();
  out_.str("");
  options_.threads = 4;
  ASSERT_EQ(Run(), kBacktestDone);
  EXPECT_EQ(out_.str(), one);
}

TEST_F(BacktestTest, LeavesOutRunsThatAreNotComplete) {
  WriteRun("done", 1000);
  WriteRun("half", 500);
  ASSERT_EQ(Run(), kBacktestDone);
  EXPECT_THAT(err_.str(), HasSubstr("1 of 2 runs were left out"));
  EXPECT_THAT(out_.str(), HasSubstr("median %"));
}

TEST_F(BacktestTest, AFileAtFaultIsNamedAndTheOthersCount) {
  WriteRun("a", 1000);
  std::ofstream(folder_ + "/broken.jsonl") << "nonsense\n";
  EXPECT_EQ(Run(), kBacktestPartly);
  EXPECT_THAT(err_.str(), HasSubstr("broken.jsonl:1"));
  EXPECT_THAT(out_.str(), HasSubstr("median %"));
}

TEST_F(BacktestTest, ARunLeansOnItsSiblingsAndNeverOnItself) {
  WriteRun("a", 1000);
  const std::string alone = Json("none");
  EXPECT_EQ(Json("family:10"), alone) << "there is nobody but itself";
  WriteRun("b", 1000);
  WriteRun("c", 1000);
  const std::string family = Json("family:10");
  EXPECT_NE(family.substr(0, family.find('\n')), alone.substr(0, alone.find('\n')));
  EXPECT_EQ(Json("family:0"), Json("none"));
  EXPECT_EQ(Json("project"), Json("none")) << "all are of one family";
  EXPECT_EQ(Json("family:10"), family);
}

TEST_F(BacktestTest, HistoryRunsAreLeantOnAndNotForecast) {
  const std::string past = folder_ + "_past";
  std::filesystem::remove_all(past);
  std::filesystem::create_directories(past);
  for (const char* id : {"x", "y"}) {
    WriteRun(id, 1000);
    std::filesystem::rename(folder_ + "/" + id + ".jsonl", past + "/" + id + ".jsonl");
  }
  WriteRun("a", 1000);
  const std::string alone = Json("family:10");
  options_.history_runs = {past};
  const std::string led = Json("family:10");
  EXPECT_NE(led, alone);
  EXPECT_EQ(std::count(led.begin(), led.end(), '\n'), std::count(alone.begin(), alone.end(), '\n'));
  // The same run once more is still itself.
  std::filesystem::copy(folder_ + "/a.jsonl", past + "/a.jsonl");
  EXPECT_EQ(Json("family:10"), led);
  options_.history_runs = {past + "/nowhere"};
  EXPECT_EQ(Run(), kBacktestNoSuchFile);
  EXPECT_THAT(err_.str(), HasSubstr("nowhere"));
}

TEST_F(BacktestTest, AHistoryThatIsNoneIsAUsageError) {
  WriteRun("a", 1000);
  for (const char* history : {"other", "", "family", "family:", "family:-1", "family:x", "family:3x", "family:1001"}) {
    options_.history = history;
    EXPECT_EQ(Run(), kBacktestUsage) << history;
    EXPECT_THAT(err_.str(), HasSubstr(std::string("--history ") + history + ": give none, project, or family:K"));
  }
  options_.history = "none";
  options_.history_runs = {folder_};
  EXPECT_EQ(Run(), kBacktestUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--history-runs: of no use with --history none"));
  EXPECT_TRUE(out_.str().empty());
}

TEST(BacktestOutputTest, JsonEscapesWhatNamesHold) {
  Backtested run;
  run.spec.key = {"a\"b", "c\\d"};
  run.spec.family = "e\n\x01";
  run.lines.push_back({0.5, {}, 0});
  std::ostringstream out;
  PrintJson(run, out);
  EXPECT_THAT(out.str(), HasSubstr(R"("project":"a\"b","runId":"c\\d","family":"e\u000a\u0001")"));
  EXPECT_THAT(out.str(), HasSubstr(R"("status":"NOT_YET","reason":"too few points)"));
}

TEST_F(BacktestTest, SaysWhatCannotBeRead) {
  options_.runs = {folder_ + "/nowhere"};
  EXPECT_EQ(Run(), kBacktestNoSuchFile);
  EXPECT_THAT(err_.str(), HasSubstr("nowhere"));
  options_.prior_file = folder_ + "/no.prior";
  EXPECT_EQ(Run(), kBacktestUsage);
}

TEST(BacktestFractionsTest, AreNumbersAboveZeroAndAtMostOne) {
  EXPECT_EQ(*ParseFractions("0.1,0.5,1"), (std::vector<double>{0.1, 0.5, 1}));
  for (const char* bad : {"", "0", "1.1", "0.1,", "nan", "x", "0.5 "}) EXPECT_FALSE(ParseFractions(bad).ok()) << bad;
}

}  // namespace
}  // namespace curvecast
