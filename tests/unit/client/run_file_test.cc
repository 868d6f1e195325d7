#include "client/import/run_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace curvecast {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kRun[] = R"({"run":{"project":"p","runId":"r","totalSteps":100}})"
                        "\n";

std::string Message(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

absl::StatusOr<ReadRun> Read(const std::string& text) {
  std::istringstream in(text);
  return ReadRunFrom(in, "a.jsonl");
}

// The error that stops the reading of `text`.
std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<ReadRun> run = Read(text);
  return Message(run.ok() ? run->error : run.status());
}

std::string PointsLine(const std::string& steps, const std::string& values) {
  return R"({"points":{"metric":"train/loss","step":[)" + steps + R"(],"value":[)" + values + "]}}\n";
}

TEST(RunFileTest, AWholeRunIsReadWithItsScheduleAndEnd) {
  const absl::StatusOr<ReadRun> run = Read(
      R"({"run":{"project":"steplaw","runId":"h1024_lr1e-2","family":"steplaw/242M","totalSteps":38145,"parameters":241517568,)"
      R"("schedule":{"peakLr":0.011,"finalLr":1e-05,"warmupSteps":2000,"decay":"COSINE"},"labels":{"optimizer":"adamw"}}})"
      "\n" +
      PointsLine("1000,2000,3000", R"(3.216,2.942,"NaN")") + R"({"end":{"state":"COMPLETED"}})");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE(run->error.ok()) << run->error;
  EXPECT_EQ(run->run.total_steps(), 38145);
  EXPECT_EQ(run->run.schedule().decay(), v1::Schedule::COSINE);
  EXPECT_EQ(run->run.labels().at("optimizer"), "adamw");
  EXPECT_EQ(run->points, 3u);
  ASSERT_EQ(run->segments.size(), 1u);
  EXPECT_THAT(run->segments[0].metrics[0].step(), ElementsAre(1000, 2000, 3000));
  EXPECT_TRUE(std::isnan(run->segments[0].metrics[0].value(2)));
  ASSERT_TRUE(run->end.has_value());
  EXPECT_EQ(run->end->state(), v1::Run::COMPLETED);
}

TEST(RunFileTest, ALateStepTakesItsPlaceAndARepeatedOneIsReplaced) {
  const absl::StatusOr<ReadRun> run = Read(kRun + PointsLine("1,5,3", "1,5,3") + "\n  \n" + PointsLine("3,2", "33,2"));
  ASSERT_TRUE(run.ok() && run->error.ok());
  EXPECT_THAT(run->segments[0].metrics[0].step(), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(run->segments[0].metrics[0].value(), ElementsAre(1, 2, 33, 5));
  EXPECT_EQ(run->points, 4u);
}

TEST(RunFileTest, ARewindSupersedesWhatLiesAtItsStepOrLater) {
  const absl::StatusOr<ReadRun> run = Read(kRun + PointsLine("80,81,100", "3,9,9") +
                                           R"({"rewind":{"fromStep":81}})"
                                           "\n" +
                                           PointsLine("82,81", "2,2.5"));
  ASSERT_TRUE(run.ok() && run->error.ok());
  ASSERT_EQ(run->segments.size(), 2u);
  EXPECT_EQ(run->segments[1].rewind_from, 81);
  const v1::Points points = SurvivingPoints(*run, "train/loss");
  EXPECT_THAT(points.step(), ElementsAre(80, 81, 82));
  EXPECT_THAT(points.value(), ElementsAre(3, 2.5, 2));
  EXPECT_EQ(SurvivingPoints(*run, "eval/loss").step_size(), 0);
}

TEST(RunFileTest, WhatCameBeforeABadLineIsKeptAndTheLineIsNamed) {
  const absl::StatusOr<ReadRun> run =
      Read(kRun + PointsLine("1,2", "4,3") + PointsLine("3,4", "2") + PointsLine("5", "1"));
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->points, 2u);
  EXPECT_EQ(Message(run->error), "a.jsonl:3: points: expected as many values as steps, found 1 values for 2 steps");
}

TEST(RunFileTest, ATruncatedLastLineSaysSo) {
  const absl::StatusOr<ReadRun> run =
      Read(kRun + PointsLine("1", "4") + R"({"points":{"metric":"train/loss","step":[2,)");
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->points, 1u);
  EXPECT_THAT(Message(run->error), StartsWith("a.jsonl:3: expected a JSON object of one run, points, rewind or end"));
  EXPECT_THAT(Message(run->error), EndsWith("(the file ends in the middle of this line)"));
}

TEST(RunFileTest, EveryBrokenRuleIsNamedWithItsLine) {
  EXPECT_EQ(ErrorOf(""), "a.jsonl:1: expected \"run\" on the first line, found an empty file");
  EXPECT_EQ(ErrorOf("\n\n"), "a.jsonl:1: expected \"run\" on the first line, found an empty file");
  EXPECT_EQ(ErrorOf(PointsLine("1", "1")), "a.jsonl:1: expected \"run\" on the first line, found another kind of line");
  EXPECT_EQ(ErrorOf(std::string(kRun) + kRun),
            "a.jsonl:2: expected \"run\" on the first line only, found a second one");
  EXPECT_EQ(ErrorOf(kRun + std::string(R"({"end":{"state":"FAILED"}})") + "\n\n" + PointsLine("1", "1")),
            "a.jsonl:4: expected nothing after \"end\", found another line");
  EXPECT_EQ(ErrorOf(kRun + PointsLine("7,-1", "1,1")), "a.jsonl:2: points.step[1]: expected 0 to 2^53, found -1");
  EXPECT_EQ(ErrorOf(kRun + PointsLine("9007199254740993", "1")),
            "a.jsonl:2: points.step[0]: expected 0 to 2^53, found 9007199254740993");
  EXPECT_EQ(ErrorOf(std::string(kRun) + R"({"rewind":{"fromStep":-3}})"),
            "a.jsonl:2: rewind.fromStep: expected 0 to 2^53, found -3");
  EXPECT_THAT(ErrorOf(std::string(kRun) + R"({"end":{"state":"RUNNING"}})"),
              HasSubstr("expected \"COMPLETED\", \"FAILED\" or \"STOPPED\", found \"RUNNING\""));
  EXPECT_THAT(ErrorOf(std::string(kRun) + R"({"points":{"metric":"a b","step":[],"value":[]}})"),
              HasSubstr("found \"a b\""));
  EXPECT_THAT(ErrorOf(R"({"run":{"project":"p","runId":""}})"), HasSubstr("run.runId: expected 1 to 128"));
  EXPECT_THAT(ErrorOf(std::string(kRun) + "{}"), HasSubstr("a.jsonl:2: expected one of \"run\", \"points\""));
}

TEST(RunFileTest, HostileTextIsRefusedInOneReadableLine) {
  using namespace std::string_literals;
  for (const std::string& line :
       {"\0\0\0"s, R"({"points":{"metric":"a","step":[1],"value":[1],"extra":)"s + std::string(100000, '[') + "}}",
        "{\"points\":{\"metric\":\"\xff\xfe\",\"step\":[],\"value\":[]}}"s, R"({"points":{"step":["x"]}})"s, "[1,2]"s,
        "null"s, "\x1b[31mred"s, R"({"run":{},"points":{}})"s, R"({"points":{"metric":"a","step":[1.5],"value":[1]}})"s,
        R"({"unknown":1})"s, std::string(1 << 20, '{')}) {
    const std::string error = ErrorOf(kRun + line + "\n");
    EXPECT_THAT(error, StartsWith("a.jsonl:2: expected ")) << line.substr(0, 80);
    EXPECT_LT(error.size(), 500u);
    for (const char c : error) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << error;
  }
}

// A stream without end and without a newline, which must not fill memory.
class EndlessLine : public std::streambuf {
 protected:
  int_type underflow() override {
    handed_out_ += sizeof(chunk_);
    std::fill(std::begin(chunk_), std::end(chunk_), 'x');
    setg(chunk_, chunk_, chunk_ + sizeof(chunk_));
    return 'x';
  }

 public:
  size_t handed_out_ = 0;

 private:
  char chunk_[1 << 16];
};

TEST(RunFileTest, ALineWithoutEndIsRefusedAtTheNamedLimit) {
  EndlessLine endless;
  std::istream in(&endless);
  const absl::StatusOr<ReadRun> run = ReadRunFrom(in, "a.jsonl");
  EXPECT_THAT(Message(run.status()), HasSubstr("a.jsonl:1: expected a line of at most kMaxLineBytes = 16777216"));
  EXPECT_LT(endless.handed_out_, 2 * kMaxLineBytes);
}

TEST(RunFileTest, LinesAtTheReadersChunkSizeAreWhole) {
  for (size_t size = (1 << 16) - 3; size <= (1 << 16) + 3; ++size) {
    std::string line = PointsLine("1", "4");
    line.insert(0, size - line.size(), ' ');  // `size` with the newline.
    const absl::StatusOr<ReadRun> run = Read(kRun + line + PointsLine("2", "3"));
    ASSERT_TRUE(run.ok() && run->error.ok()) << size;
    EXPECT_EQ(run->points, 2u) << size;
  }
}

TEST(RunFileTest, AnErrorStaysAndLinesAreCounted) {
  std::istringstream in(kRun + std::string("\nnonsense\n") + PointsLine("1", "1"));
  RunFileReader reader(in, "-");
  ASSERT_TRUE(reader.Next().ok());
  EXPECT_EQ(reader.line_number(), 1);
  const absl::Status first = reader.Next().status();
  EXPECT_THAT(Message(first), StartsWith("-:3: "));
  EXPECT_EQ(reader.Next().status(), first);
}

TEST(RunFileTest, FilesBelowAFolderAreFoundInOrder) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(::testing::TempDir()) / "run_file_test";
  fs::remove_all(folder);
  fs::create_directories(folder / "sub");
  for (const char* name : {"b.jsonl", "a.jsonl", "sub/c.jsonl", "notes.txt"}) std::ofstream(folder / name) << kRun;
  const absl::StatusOr<std::vector<std::string>> files = FindRunFiles(folder.string());
  ASSERT_TRUE(files.ok());
  EXPECT_THAT(*files, ElementsAre((folder / "a.jsonl").string(), (folder / "b.jsonl").string(),
                                  (folder / "sub/c.jsonl").string()));
  EXPECT_THAT(*FindRunFiles((folder / "notes.txt").string()), ElementsAre((folder / "notes.txt").string()));
  EXPECT_EQ(FindRunFiles((folder / "none").string()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadRunFile((folder / "none").string()).status().code(), absl::StatusCode::kNotFound);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace curvecast
