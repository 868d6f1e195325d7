#include "client/cli/backtest/prior_training.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/backtest/backtest.h"
#include "core/law/prior.h"
#include "gmock/gmock.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

class PriorTrainingTest : public ::testing::Test {
 protected:
  PriorTrainingTest() : folder_(testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.runs = {folder_};
    options_.output_file = "-";
  }

  // Power laws of `runs` exponents.
  void WriteProject(const std::string& project, int runs) {
    for (int r = 0; r < runs; ++r) {
      const std::string id = project + std::to_string(r);
      std::ofstream out(folder_ + "/" + id + ".jsonl");
      out << R"({"run":{"project":")" << project << R"(","runId":")" << id << R"(","family":"f)" << r % 2
          << R"(","totalSteps":1000}})"
          << "\n";
      for (int s = 5; s <= 1000; s += 5) {
        out << R"({"points":{"metric":"train/loss","step":[)" << s << R"(],"value":[)"
            << 2 * std::pow(s / 1000.0, -0.05 - 0.01 * r) << "]}}\n";
      }
    }
  }

  int Train() { return TrainPriorFile(options_, out_, err_); }

  const std::string folder_;
  PriorTrainingOptions options_;
  std::ostringstream out_, err_;
};

TEST_F(PriorTrainingTest, TheSameRunsGiveTheSameTextOnAnyNumberOfThreads) {
  for (const char* project : {"a", "b", "c"}) WriteProject(project, 4);
  options_.threads = 1;
  ASSERT_EQ(Train(), kBacktestDone) << err_.str();
  const std::string one = out_.str();
  out_.str("");
  options_.threads = 4;
  ASSERT_EQ(Train(), kBacktestDone);
  EXPECT_EQ(out_.str(), one);
  const absl::StatusOr<Prior> prior = Prior::Parse(one);
  ASSERT_TRUE(prior.ok()) << prior.status();
  EXPECT_EQ(prior->Of(RateKind::kUnknown).archetypes.size(), 4u);
  EXPECT_THAT(one, HasSubstr("#   a                            4 complete runs"));
}

TEST_F(PriorTrainingTest, WithoutIntervalsTheFactorsAreOne) {
  WriteProject("a", 4);
  options_.intervals = false;
  ASSERT_EQ(Train(), kBacktestDone) << err_.str();
  EXPECT_EQ(Prior::Parse(out_.str())->Of(RateKind::kUnknown).factors[0], kNoFactors);
}

TEST_F(PriorTrainingTest, WhatIsLeftOutLeavesNoTrace) {
  WriteProject("a", 4);
  options_.intervals = false;
  ASSERT_EQ(Train(), kBacktestDone);
  const std::string without = out_.str();
  WriteProject("b", 4);
  out_.str("");
  options_.leave_out = {"b"};
  ASSERT_EQ(Train(), kBacktestDone);
  EXPECT_EQ(out_.str(), without);
}

TEST_F(PriorTrainingTest, AFileIsWrittenAndABacktestTakesIt) {
  WriteProject("a", 4);
  options_.intervals = false;
  options_.output_file = folder_ + "/prior.txt";
  ASSERT_EQ(Train(), kBacktestDone);
  EXPECT_TRUE(out_.str().empty());
  BacktestOptions backtest;
  backtest.runs = {folder_};
  backtest.prior_file = options_.output_file;
  EXPECT_EQ(RunBacktest(backtest, out_, err_), kBacktestDone) << err_.str();
  std::ofstream(options_.output_file) << "curvecast-prior 2\nnonsense\n";
  EXPECT_EQ(RunBacktest(backtest, out_, err_), kBacktestUsage);
  EXPECT_THAT(err_.str(), HasSubstr("line 2"));
}

TEST_F(PriorTrainingTest, SaysWhatIsWrong) {
  EXPECT_NE(Train(), kBacktestDone) << "an empty folder";
  WriteProject("a", 4);
  options_.intervals = false;
  options_.output_file = folder_ + "/nowhere/prior.txt";
  EXPECT_EQ(Train(), kBacktestNoSuchFile);
  EXPECT_THAT(err_.str(), HasSubstr("nowhere/prior.txt: cannot be written"));
  options_.output_file = "-";
  options_.leave_out = {"other"};
  EXPECT_EQ(Train(), kBacktestUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--leave-out other"));
  options_.leave_out = {"a"};
  EXPECT_EQ(Train(), kBacktestNoRuns);
  options_.leave_out = {};
  options_.apart = {"other"};
  EXPECT_EQ(Train(), kBacktestUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--apart other"));
  options_.apart = {};
  options_.runs = {folder_ + "/gone"};
  EXPECT_EQ(Train(), kBacktestNoSuchFile);
  EXPECT_TRUE(out_.str().empty());
}

TEST_F(PriorTrainingTest, AFileAtFaultIsNamedAndTheOthersCount) {
  WriteProject("a", 4);
  std::ofstream(folder_ + "/broken.jsonl") << "nonsense\n";
  options_.intervals = false;
  EXPECT_EQ(Train(), kBacktestPartly);
  EXPECT_THAT(err_.str(), HasSubstr("broken.jsonl:1"));
  EXPECT_TRUE(Prior::Parse(out_.str()).ok());
}

}  // namespace
}  // namespace curvecast
