// A run that is exported says what it is, and what of it is kept.

#include "daemon/store/run_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/ports/memory_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunExportTest : public testing::Test {
 protected:
  RunExportTest() {
    std::string name = fs::temp_directory_path() / "curvecast_export_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~RunExportTest() override { fs::remove_all(directory_); }

  absl::StatusOr<std::vector<ExportedRun>> Export(const std::vector<RunKey>& runs) {
    return ExportRuns(journal_, runs, directory_, [] { return true; });
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  MemoryJournal journal_;
  fs::path directory_;
};

TEST_F(RunExportTest, WritesEveryPointOfARunThatIsWhole) {
  ASSERT_TRUE(journal_.Append(FinishedRun(3)).ok());
  const auto runs = Export({FinishedRunKey()});
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_EQ(runs->size(), 1);
  EXPECT_EQ((*runs)[0].points, 600);
  EXPECT_EQ((*runs)[0].binned, 0);
  EXPECT_THAT(
      Read("demo/plain.jsonl"),
      AllOf(StartsWith(R"({"run":{"project":"demo","runId":"plain")"), HasSubstr(R"({"points":{"metric":)"),
            EndsWith("{\"end\":{\"state\":\"COMPLETED\"}}\n"), Not(HasSubstr("rewind")), Not(HasSubstr("binned"))));
  EXPECT_FALSE(fs::exists(directory_ / "demo" / "other.jsonl"));
}

TEST_F(RunExportTest, WritesARewindWhereTheJobWentBack) {
  std::vector<Event> events = FinishedRun(2);
  events.pop_back();
  RunOpened again = std::get<RunOpened>(events[0].body);
  again.incarnation = 2;
  again.resume_step = 301;
  events.push_back({6, FinishedRunKey(), again});
  Event batch = BatchOf(1, 301, 50);
  std::get<BatchAppended>(batch.body).incarnation = 2;
  events.push_back(batch);
  ASSERT_TRUE(journal_.Append(events).ok());
  const auto runs = Export({});
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ(runs->size(), 2) << "all of them";
  EXPECT_THAT(Read("demo/plain.jsonl"),
              AllOf(HasSubstr("{\"rewind\":{\"fromStep\":\"301\"}}\n{\"points\""), Not(HasSubstr("\"end\""))));
}

TEST_F(RunExportTest, WritesTheMeansOfARunThatIsCompactedAndSaysSo) {
  ASSERT_TRUE(journal_.Append(FinishedRun(20)).ok());
  ASSERT_TRUE(journal_.Replace(ReplacementOf(FinishedRunKey(), journal_)).ok());
  const auto runs = Export({FinishedRunKey()});
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ((*runs)[0].binned, 4000);
  EXPECT_GT((*runs)[0].points, 100);
  EXPECT_LE((*runs)[0].points, 256);
  EXPECT_THAT(Read("demo/plain.jsonl"), HasSubstr(R"("labels":{"points":"binned"})"));
  EXPECT_THAT(Describe(*runs), HasSubstr("among them the means that are kept of 4000 raw ones"));
}

TEST_F(RunExportTest, WritesARunThatWasEvictedUntilItsNameComesBack) {
  ASSERT_TRUE(journal_.Append(FinishedRun(3)).ok());
  ASSERT_TRUE(journal_.Append({Event{3, FinishedRunKey(), RunEvicted{2}}}).ok());
  auto runs = Export({FinishedRunKey()});
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ((*runs)[0].points, 600);
  EXPECT_THAT(Read("demo/plain.jsonl"), EndsWith("{\"end\":{\"state\":\"COMPLETED\"}}\n"));
  ASSERT_TRUE(journal_.Append(FinishedRun(1)).ok());
  runs = Export({});
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ(Export({FinishedRunKey()})->front().points, 200);
}

TEST_F(RunExportTest, NamesARunThatIsNotThere) {
  ASSERT_TRUE(journal_.Append(FinishedRun(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(Export({{"demo", "nobody"}}).status()));
}

TEST_F(RunExportTest, NamesAFileThatCannotBeWritten) {
  ASSERT_TRUE(journal_.Append(FinishedRun(1)).ok());
  std::ofstream(directory_ / "demo") << "in the way";
  EXPECT_TRUE(absl::IsUnavailable(Export({FinishedRunKey()}).status()));
}

}  // namespace
}  // namespace curvecast
