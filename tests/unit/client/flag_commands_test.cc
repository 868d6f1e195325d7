#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/commands.h"
#include "tests/unit/client/fake_query.h"
#include "tests/unit/client/flags.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

class FlagCommandsTest : public ::testing::Test {
 protected:
  FlagCommandsTest() {
    *daemon_.run.add_flags() = FlagOf(1, v1::Flag::SPIKE, v1::Flag::WARNING, 100);
    *daemon_.run.add_flags() = FlagOf(2, v1::Flag::DRIFT, v1::Flag::CRITICAL, 200);
  }
  CommonOptions To() { return {daemon_.address(), OutputFormat::kTable, true}; }

  // What the command printed, if it ended with `code`.
  template <typename Command>
  std::string Printed(ExitCode code, Command command) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(command(), code);
    return ::testing::internal::GetCapturedStdout();
  }

  FakeQuery daemon_;
};

TEST_F(FlagCommandsTest, AllPagesAreListedAndTheDaemonIsToldWhatToLeaveOut) {
  FlagsArguments arguments;
  arguments.run = "a";
  arguments.active = true;
  arguments.at_least = "warning";
  const std::string text = Printed(ExitCode::kOk, [&] { return ListFlags(To(), arguments); });
  EXPECT_THAT(text, HasSubstr("SPIKE"));
  EXPECT_THAT(text, HasSubstr("DRIFT"));
  ASSERT_EQ(daemon_.flag_requests().size(), 2u);
  const v1::GetFlagsRequest request = daemon_.flag_requests()[1];
  EXPECT_EQ(request.project(), "demo");
  EXPECT_EQ(request.run_id(), "a");
  EXPECT_TRUE(request.active_only());
  EXPECT_EQ(request.at_least(), v1::Flag::WARNING);
}

TEST_F(FlagCommandsTest, AnAcknowledgementSaysWhatHappened) {
  const std::string text = Printed(ExitCode::kOk, [&] {
    return AcknowledgeFlag(To(), {"demo/a", 2, "ada", "data loader"});
  });
  EXPECT_EQ(text, "demo/a #2 DRIFT CRITICAL is acknowledged by ada.\n");
  EXPECT_EQ(daemon_.acknowledgements()[0].note(), "data loader");
  EXPECT_EQ(AcknowledgeFlag(To(), {"demo/a", 9, "ada", ""}), ExitCode::kNotFound);
  EXPECT_EQ(AcknowledgeFlag(To(), {"demo/a", 2, "", ""}), ExitCode::kUsage);
  EXPECT_EQ(AcknowledgeFlag(To(), {"demo/b", 2, "ada", ""}), ExitCode::kNotFound);
}

TEST_F(FlagCommandsTest, ASilenceSaysUntilWhenAndZeroEndsIt) {
  EXPECT_EQ(Printed(ExitCode::kOk,
                    [&] {
                      return SilenceFlag(To(), {"a", 1, "ada", ""}, "2h");
                    }),
            "demo/a #1 SPIKE WARNING is silenced by ada until 2200-01-01 00:00:00 UTC.\n");
  EXPECT_EQ(Printed(ExitCode::kOk,
                    [&] {
                      return SilenceFlag(To(), {"a", 1, "ada", ""}, "0");
                    }),
            "demo/a #1 SPIKE WARNING is not silenced any more.\n");
  EXPECT_EQ(daemon_.silences()[0].seconds(), 7200);
  EXPECT_EQ(SilenceFlag(To(), {"a", 1, "ada", ""}, "soon"), ExitCode::kUsage);
}

TEST_F(FlagCommandsTest, ARunIsDrawnIntoAFileOrOntoStdout) {
  const std::string none = Printed(ExitCode::kOk, [&] { return DrawRunPicture(To(), "a", "", "-"); });
  EXPECT_THAT(none, HasSubstr("#2 DRIFT critical")) << "a run without a point has a picture too";
  daemon_.curve.set_metric("train/loss");
  for (int i = 1; i < 100; ++i) {
    daemon_.curve.add_step(i);
    daemon_.curve.add_value(2 + 1.0 / i);
  }
  const auto path = std::filesystem::path(::testing::TempDir()) / ("picture." + std::to_string(getpid()) + ".svg");
  EXPECT_EQ(DrawRunPicture(To(), "a", "", path.string()), ExitCode::kOk);
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  EXPECT_THAT(written.str(), HasSubstr("class=\"curve\""));
  EXPECT_TRUE(written.str().ends_with("</svg>\n"));
  EXPECT_EQ(DrawRunPicture(To(), "a", "", (path / "no/folder").string()), ExitCode::kFailed);
}

}  // namespace
}  // namespace curvecast
