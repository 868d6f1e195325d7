#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/config/config.h"

namespace curvecast {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::Config Parsed(const std::string& text) {
  absl::StatusOr<v1::Config> config = ParseConfig(text, "c.yaml");
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : v1::Config();
}

std::string Errors(const std::string& text) {
  absl::StatusOr<v1::Config> config = ParseConfig(text, "c.yaml");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(config.status().message());
}

TEST(ParseConfigTest, TakesDefaultsForWhatIsNotWritten) {
  for (const char* text : {"", "# nothing\n", "---\n", "listen:\nlimits: {}\n"}) {
    EXPECT_TRUE(MessageDifferencer::Equals(Parsed(text), DefaultConfig())) << text;
  }
}

TEST(ParseConfigTest, TakesWhatIsWritten) {
  const v1::Config config = Parsed(R"(
listen: {grpc: "0.0.0.0:1", http: 0.0.0.0:2}
store:
  directory: &where /var/lib/curvecast  # A comment.
limits:
  max_runs: 12
  max_streams: "13"
forecasting:
  refit_progress: 1.0e-2
)");
  v1::Config expected = DefaultConfig();
  expected.mutable_listen()->set_grpc("0.0.0.0:1");
  expected.mutable_listen()->set_http("0.0.0.0:2");
  expected.mutable_store()->set_directory("/var/lib/curvecast");
  expected.mutable_limits()->set_max_runs(12);
  expected.mutable_limits()->set_max_streams(13);
  expected.mutable_forecasting()->set_refit_progress(0.01);
  EXPECT_TRUE(MessageDifferencer::Equals(config, expected)) << config.DebugString();
}

TEST(ParseConfigTest, PointsAtAnUnknownKey) {
  EXPECT_EQ(Errors("limits:\n  max_rums: 3\n"),
            "c.yaml:2:3: limits.max_rums: unknown key; did you mean limits.max_runs?");
  EXPECT_EQ(Errors("limit:\n  max_runs: 3\n"), "c.yaml:1:1: limit: unknown section; did you mean limits?");
  EXPECT_EQ(Errors("max_runs: 3\n"), "c.yaml:1:1: max_runs: unknown section; did you mean limits.max_runs?");
}

TEST(ParseConfigTest, PointsAtAValueOfTheWrongTypeOrOutOfRange) {
  EXPECT_EQ(Errors("limits:\n  max_runs: many\n"),
            "c.yaml:2:13: limits.max_runs: is \"many\"; write a whole number from 1 to 10000000");
  EXPECT_THAT(Errors("limits:\n  max_runs: [1, 2]\n"), StartsWith("c.yaml:2:13: limits.max_runs: is a list; write"));
  EXPECT_THAT(Errors("limits:\n  max_runs: {a: 1}\n"), StartsWith("c.yaml:2:13: limits.max_runs: is a map; write"));
  EXPECT_THAT(Errors("limits:\n  max_runs:\n"), HasSubstr("limits.max_runs: has no value; write a whole number"));
  EXPECT_THAT(Errors("listen: 127.0.0.1:80\n"), StartsWith("c.yaml:1:9: listen: is a section; write its keys below"));
  EXPECT_THAT(Errors("- listen\n"), StartsWith("c.yaml:1:1: is no configuration"));
}

TEST(ParseConfigTest, PointsAtAKeyThatIsThereTwice) {
  EXPECT_EQ(Errors("log:\n  level: info\n  level: debug\n"), "c.yaml:3:3: log.level: is there twice; keep one");
  EXPECT_EQ(Errors("log:\n  level: info\nstore:\nlog:\n"), "c.yaml:4:1: log: is there twice; keep one");
}

TEST(ParseConfigTest, ReportsAllErrorsAtOnce) {
  const std::string errors = Errors("limits:\n  max_runs: 0\n  x: 1\nlog:\n  level: loud\n");
  EXPECT_THAT(errors, HasSubstr("c.yaml:2:13: limits.max_runs"));
  EXPECT_THAT(errors, HasSubstr("\nc.yaml:3:3: limits.x"));
  EXPECT_THAT(errors, HasSubstr("\nc.yaml:5:10: log.level"));
}

TEST(ParseConfigTest, StopsListingErrorsAtSomePoint) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "section" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(Errors(text), EndsWith("and 980 more"));
}

TEST(ParseConfigTest, PointsAtWhatIsNoYaml) {
  EXPECT_THAT(Errors("listen:\n  grpc: \"127\n"), StartsWith("c.yaml:"));
  EXPECT_THAT(Errors("listen:\n\tgrpc: x\n"), StartsWith("c.yaml:2:"));
  EXPECT_THAT(Errors("a: *nowhere\n"), HasSubstr("is no YAML"));
  EXPECT_THAT(Errors(std::string(100'000, '[')), HasSubstr("is no YAML"));
  EXPECT_THAT(Errors("log:\n  level: info\n---\nlog:\n"), HasSubstr("second document"));
  EXPECT_THAT(Errors(",c: 1a}R"), HasSubstr("a bracket that nothing opened"));  // YAML::LoadAll reads on for ever.
  EXPECT_THAT(Errors("? [a, b]\n: c\n"), HasSubstr("a key that is no word"));
}

TEST(LoadConfigTest, ReadsAFileAndNamesIt) {
  std::string directory = std::filesystem::temp_directory_path() / "curvecast_config_XXXXXX";
  const std::filesystem::path path = std::filesystem::path(mkdtemp(directory.data())) / "daemon.yaml";
  std::ofstream(path) << "limits:\n  max_runs: 5\n";
  absl::StatusOr<v1::Config> config = LoadConfig(path);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->limits().max_runs(), 5);

  std::ofstream(path) << "limits:\n  max_runs: 0\n";
  EXPECT_THAT(std::string(LoadConfig(path).status().message()), StartsWith(path.string() + ":2:13: limits.max_runs"));
  std::ofstream(path) << std::string((1 << 20) + 1, '#');
  EXPECT_THAT(std::string(LoadConfig(path).status().message()), HasSubstr("larger than"));
  std::filesystem::remove_all(directory);
}

TEST(LoadConfigTest, SaysSoIfThereIsNoSuchFile) {
  EXPECT_EQ(LoadConfig("/nowhere/at/all.yaml").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadConfig(std::filesystem::temp_directory_path()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace curvecast
