#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/client/fake_ingest.h"

namespace curvecast {
namespace {

using ::testing::HasSubstr;

TEST(CommandLineTest, OptionsMayStandBeforeOrAfterTheCommand) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--address", "h:1", "-o", "json", "show", "demo/a"},
        std::vector<std::string>{"show", "demo/a", "-o", "json", "--address", "h:1"}}) {
    const ParsedCommandLine parsed = ParseCommandLine(arguments);
    ASSERT_TRUE(parsed.line.has_value()) << parsed.text;
    EXPECT_EQ(parsed.line->common.address, "h:1");
    EXPECT_EQ(parsed.line->common.output, OutputFormat::kJson);
    EXPECT_EQ(std::get<ShowCommand>(parsed.line->command).run, "demo/a");
  }
}

TEST(CommandLineTest, TheAddressComesFromTheEnvironmentUnlessItIsGiven) {
  ::setenv("CURVECAST_ADDRESS", "env:1", 1);
  EXPECT_EQ(ParseCommandLine({"runs"}).line->common.address, "env:1");
  EXPECT_EQ(ParseCommandLine({"runs", "--address", "arg:1"}).line->common.address, "arg:1");
  ::unsetenv("CURVECAST_ADDRESS");
  EXPECT_EQ(ParseCommandLine({"runs"}).line->common.address, "127.0.0.1:7461");
}

TEST(CommandLineTest, AWhatIfSaysOnlyWhatWasTyped) {
  const ForecastOptions none = std::get<ForecastCommand>(ParseCommandLine({"forecast", "a"}).line->command).options;
  EXPECT_FALSE(none.total_steps || none.final_lr || !none.decay.empty() || !none.decay_from.empty());
  const ParsedCommandLine all = ParseCommandLine({"forecast", "a", "--total-steps", "8000", "--decay", "one-minus-sqrt",
                                                  "--decay-from", "now", "--final-lr", "0"});
  ASSERT_TRUE(all.line.has_value()) << all.text;
  const ForecastOptions& options = std::get<ForecastCommand>(all.line->command).options;
  EXPECT_EQ(options.total_steps, 8000);
  EXPECT_EQ(options.decay, "one-minus-sqrt");
  EXPECT_EQ(options.decay_from, "now");
  EXPECT_EQ(options.final_lr, 0.0);
}

TEST(CommandLineTest, FlagsAreTheDaemonsOrThoseOfFiles) {
  const auto arguments = [](const std::vector<std::string>& words) {
    const ParsedCommandLine parsed = ParseCommandLine(words);
    EXPECT_TRUE(parsed.line.has_value()) << parsed.text;
    return std::get<FlagsCommand>(parsed.line->command).arguments;
  };
  EXPECT_TRUE(arguments({"flags"}).paths.empty());
  const FlagsArguments asked = arguments({"flags", "--run", "a", "--active", "--at-least", "warning"});
  EXPECT_EQ(asked.run, "a");
  EXPECT_TRUE(asked.active);
  EXPECT_EQ(asked.at_least, "warning");
  const FlagsArguments replay =
      arguments({"flags", "a.jsonl", "runs/", "--svg", "-", "--false-alarms", "1e5", "--threads", "2"});
  EXPECT_EQ(replay.paths.size(), 2u);
  EXPECT_EQ(replay.svg, "-");
  EXPECT_EQ(replay.false_alarms, 1e5);
  EXPECT_EQ(replay.threads, 2u);
}

TEST(CommandLineTest, WhoAnswersAFlagIsTheUserUnlessItIsSaid) {
  ::setenv("USER", "ada", 1);
  const FlagAnswer ack =
      std::get<AckCommand>(ParseCommandLine({"ack", "a", "3", "--note", "fine"}).line->command).answer;
  EXPECT_EQ(ack.run, "a");
  EXPECT_EQ(ack.number, 3);
  EXPECT_EQ(ack.by, "ada");
  EXPECT_EQ(ack.note, "fine");
  const auto silence =
      std::get<SilenceCommand>(ParseCommandLine({"silence", "a", "3", "--for", "2h", "--by", "grace"}).line->command);
  EXPECT_EQ(silence.answer.by, "grace");
  EXPECT_EQ(silence.duration, "2h");
}

TEST(CommandLineTest, AMistakeIsUsageAndSaysWhat) {
  for (const auto& [arguments, word] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "subcommand"},
           {{"show"}, "RUN"},
           {{"frobnicate"}, "frobnicate"},
           {{"runs", "-o", "xml"}, "xml"},
           {{"push", "a.jsonl", "--rate", "-3"}, "-3"},
           {{"import"}, "PATH"},
           {{"forecast"}, "RUN"},
           {{"forecast", "a", "--decay", "steep"}, "steep"},
           {{"forecast", "a", "--final-lr", "0"}, "--decay"},
           {{"forecast", "a", "--total-steps", "0"}, "0"},
           {{"forecast", "a", "--decay", "linear", "--decay-from", "soon"}, "soon"},
           {{"laws", "p", "--runs", "a"}, "--runs"},
           {{"flags", "--at-least", "bad"}, "bad"},
           {{"flags", "--svg", "a.svg"}, "PATH"},
           {{"flags", "runs", "--project", "p"}, "--project"},
           {{"flags", "--run", "a", "--project", "p"}, "--project"},
           {{"ack", "a"}, "NUMBER"},
           {{"ack", "a", "0"}, "0"},
           {{"silence", "a", "1"}, "--for"},
           {{"silence", "a", "1", "--for", "soon"}, "soon"}}) {
    const ParsedCommandLine parsed = ParseCommandLine(arguments);
    EXPECT_FALSE(parsed.line.has_value());
    EXPECT_EQ(parsed.code, ExitCode::kUsage);
    EXPECT_THAT(parsed.text, HasSubstr(word));
  }
}

TEST(CommandLineTest, HelpNamesEveryCommandAndTheExitCodes) {
  const ParsedCommandLine parsed = ParseCommandLine({"--help"});
  EXPECT_EQ(parsed.code, ExitCode::kOk);
  for (const char* word : {"runs", "show", "watch", "forecast", "push", "import", "backtest", "laws", "flags", "ack",
                           "silence", "CURVECAST_ADDRESS", "Exit codes", "5 some"}) {
    EXPECT_THAT(parsed.text, HasSubstr(word));
  }
  EXPECT_THAT(ParseCommandLine({"push", "--help"}).text, HasSubstr("Example"));
}

// The import command against a service in this process, which takes everything.
class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ImportTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& rest) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path) << R"({"run":{"project":"p","runId":")" << name << "\"}}\n" << rest;
    return path.string();
  }
  CommonOptions To(const std::string& address) { return {address, OutputFormat::kTable, true}; }

  const std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                        ("curvecast_import_test." + std::to_string(getpid()));  // Tests run at once.
};

constexpr char kThreePoints[] = R"({"points":{"metric":"train/loss","step":[1,2,3],"value":[3,2,1]}})"
                                "\n";

TEST_F(ImportTest, ManyRunsTravelOverOneStream) {
  for (int i = 0; i < 40; ++i) Write("r" + std::to_string(i) + ".jsonl", kThreePoints);
  FakeIngest daemon;
  EXPECT_EQ(Import(To(daemon.address()), {folder_.string()}), ExitCode::kOk);
  EXPECT_EQ(daemon.received().streams, 1);
  EXPECT_EQ(daemon.received().opens.size(), 40u);
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss").size(), 120u);
}

TEST_F(ImportTest, ABrokenFileIsTakenUpToItsFaultAndTheExitCodeSaysSo) {
  Write("a.jsonl", kThreePoints + std::string("nonsense\n"));
  FakeIngest daemon;
  EXPECT_EQ(Import(To(daemon.address()), {folder_.string()}), ExitCode::kInputRefused);
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss").size(), 3u);
}

TEST_F(ImportTest, WhatTheDaemonRefusesIsCountedAndTheRestArrives) {
  for (const char* name : {"a.jsonl", "b.jsonl", "c.jsonl"}) Write(name, kThreePoints);
  FakeIngest daemon([](int, int, const v1::PushRequest& request) {
    FakeIngest::Reply reply;
    if (request.channel() != 2) return reply;
    reply.rejected.emplace();
    reply.rejected->set_code(grpc::INVALID_ARGUMENT);
    reply.rejected->set_sequence(request.has_batch() ? request.batch().sequence() : 0);
    return reply;
  });
  EXPECT_EQ(Import(To(daemon.address()), {folder_.string()}), ExitCode::kInputRefused);
  EXPECT_EQ(FakeIngest::Steps(daemon.received(), "train/loss").size(), 6u);
}

TEST_F(ImportTest, WithoutADaemonOrAFileTheExitCodesDiffer) {
  Write("a.jsonl", kThreePoints);
  const std::string gone = FakeIngest().address();
  EXPECT_EQ(Import(To(gone), {folder_.string()}), ExitCode::kUnreachable);
  EXPECT_EQ(Import(To(gone), {(folder_ / "none").string()}), ExitCode::kNotFound);
}

class LawsCommandTest : public ImportTest {};

TEST_F(LawsCommandTest, NeedsRunsAndSaysWhichAreMissing) {
  const CommonOptions nowhere = To(FakeIngest().address());
  EXPECT_EQ(Laws(nowhere, {}), ExitCode::kUsage);
  EXPECT_EQ(Laws(nowhere, {.project = "p"}), ExitCode::kUnreachable);
  EXPECT_EQ(Laws(nowhere, {.files = {(folder_ / "none").string()}}), ExitCode::kNotFound);
  Write("a.jsonl", kThreePoints);
  EXPECT_EQ(Laws(nowhere, {.files = {folder_.string()}}), ExitCode::kFailed) << "no totalSteps";
  const std::filesystem::path path = folder_ / "b.jsonl";
  std::ofstream(path) << R"({"run":{"project":"p","runId":"b","totalSteps":3}})"
                      << "\n"
                      << kThreePoints;
  EXPECT_EQ(Laws(nowhere, {.files = {folder_.string()}}), ExitCode::kOk);
  Write("c.jsonl", "nonsense\n");
  EXPECT_EQ(Laws(nowhere, {.files = {folder_.string()}}), ExitCode::kInputRefused);
}

TEST_F(ImportTest, AStreamThatBreaksMidwayIsAFailure) {
  for (int i = 0; i < 5; ++i) Write("r" + std::to_string(i) + ".jsonl", kThreePoints);
  FakeIngest daemon([](int, int nth, const v1::PushRequest&) {
    return FakeIngest::Reply{nth == 4 ? FakeIngest::Answer::kBreakStream : FakeIngest::Answer::kTake, {}, {}};
  });
  EXPECT_EQ(Import(To(daemon.address()), {folder_.string()}), ExitCode::kFailed);
}

}  // namespace
}  // namespace curvecast
