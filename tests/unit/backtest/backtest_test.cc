#include "client/cli/backtest/backtest.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

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

TEST_F(BacktestTest, HistoryThatIsNotThereYetIsAUsageError) {
  for (const char* history : {"project", "family:10", "other"}) {
    options_.history = history;
    EXPECT_EQ(Run(), kBacktestUsage);
    EXPECT_THAT(err_.str(), HasSubstr(std::string("--history ") + history));
  }
  EXPECT_TRUE(out_.str().empty());
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
