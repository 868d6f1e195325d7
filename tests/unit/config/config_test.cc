#include "daemon/config/config.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "daemon/config/key.h"
#include "daemon/config/value.h"

namespace curvecast {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;

bool Same(const v1::Config& a, const v1::Config& b) { return MessageDifferencer::Equals(a, b); }

std::string Refusal(const std::string& key, const std::string& value) {
  v1::Config config = DefaultConfig();
  const absl::Status status = SetValue(config, key, value);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key << "=" << value;
  EXPECT_TRUE(Same(config, DefaultConfig())) << "a refused value changes nothing";
  return std::string(status.message());
}

// Sets a variable of the environment for as long as it lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_.c_str()); }

 private:
  const std::string name_;
};

TEST(DefaultConfigTest, IsWithinItsOwnRangesForEveryKey) {
  const v1::Config defaults = DefaultConfig();
  for (const Key& key : Keys()) {
    v1::Config config = defaults;
    const absl::Status status = SetField(config, key, GetField(defaults, key));
    EXPECT_TRUE(status.ok()) << key.name << " " << status;
    EXPECT_TRUE(Same(config, defaults)) << key.name;
  }
}

TEST(DefaultConfigTest, IsWhatTheSchemaStates) {
  const v1::Config config = DefaultConfig();
  EXPECT_EQ(config.listen().grpc(), "127.0.0.1:7461");
  EXPECT_EQ(config.listen().http(), "127.0.0.1:7462");
  EXPECT_EQ(config.store().directory(), "./curvecast-data");
  EXPECT_EQ(config.limits().max_runs(), 20000);
  EXPECT_EQ(config.limits().max_points_per_batch(), 16384);
  EXPECT_EQ(config.forecasting().refit_progress(), 0.0025);
  EXPECT_EQ(config.log().level(), "info");
  EXPECT_EQ(config.watch().false_alarms_per_1000_run_days(), 1);
  EXPECT_EQ(config.watch().mean_points_between_false_alarms(), 1e6);
  EXPECT_EQ(config.watch().silent_after_seconds(), 120);
}

TEST(SetValueTest, SetsAKeyOfEachType) {
  v1::Config config = DefaultConfig();
  EXPECT_TRUE(SetValue(config, "limits.max_runs", "100").ok());
  EXPECT_TRUE(SetValue(config, "forecasting.refit_progress", "1e-2").ok());
  EXPECT_TRUE(SetValue(config, "listen.grpc", "[::]:0").ok());
  EXPECT_EQ(config.limits().max_runs(), 100);
  EXPECT_EQ(config.forecasting().refit_progress(), 0.01);
  EXPECT_EQ(config.listen().grpc(), "[::]:0");
}

TEST(SetValueTest, AnAddressIsWhatCanBeSaidOfOne) {
  v1::Config config = DefaultConfig();
  for (const char* good : {"localhost:1", "my-host_2.example.:7461", "[fe80::1%eth0]:1", "0.0.0.0:65535"}) {
    EXPECT_TRUE(SetValue(config, "listen.grpc", good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string("10.0\0.1:1", 9), std::string("a b:1"), std::string("h\xd3st:1"), std::string("\"h\":1"),
        std::string("h/x:1"), std::string(":1"), std::string("h:65536")}) {
    EXPECT_FALSE(SetValue(config, "listen.grpc", bad).ok()) << bad;
  }
}

TEST(SetValueTest, NamesTheNearestKey) {
  EXPECT_EQ(Refusal("limits.max_rnus", "1"), "limits.max_rnus: unknown key; did you mean limits.max_runs?");
  EXPECT_EQ(Refusal("max_runs", "1"), "max_runs: unknown key; did you mean limits.max_runs?");
  EXPECT_EQ(Refusal("store.max_runs", "1"), "store.max_runs: unknown key; did you mean limits.max_runs?");
  EXPECT_EQ(Refusal("listen.quic", "1"),
            "listen.quic: unknown key; there are listen.grpc, listen.http, listen.tls_certificate, listen.tls_key, "
            "listen.tls_client_ca");
  EXPECT_EQ(Refusal("teapot.brewing_time", "1"),
            "teapot.brewing_time: unknown key; there are listen, store, limits, forecasting, log, watch, retention");
  EXPECT_THAT(Refusal("", "1"), HasSubstr("unknown key"));
  EXPECT_THAT(Refusal("limits", "1"), HasSubstr("unknown key"));
}

TEST(SetValueTest, RefusesWhatIsNoNumberOrOutOfRange) {
  EXPECT_EQ(Refusal("limits.max_runs", "many"),
            "limits.max_runs: is \"many\"; write a whole number from 1 to 10000000");
  for (const char* text : {"", "0", "-1", "1.5", "1e3", "0x10", " 5", "5 ", "10000001", "99999999999999999999"}) {
    EXPECT_THAT(Refusal("limits.max_runs", text), HasSubstr("whole number from 1 to 10000000"));
  }
  for (const char* text : {"", "nan", "inf", "0", "1.1", "-0.5", "1%"}) {
    EXPECT_THAT(Refusal("forecasting.refit_progress", text), HasSubstr("a number from 1e-05 to 1"));
  }
}

TEST(SetValueTest, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "localhost", ":80", "host:", "host:port", "host:65536", "host:-1", "::1:80", "[]:80",
                           "a b:80", "http://host:80"}) {
    EXPECT_THAT(Refusal("listen.http", text), HasSubstr("such as 127.0.0.1:7462"));
  }
  v1::Config config = DefaultConfig();
  for (const char* text : {"0.0.0.0:80", "localhost:0", "[::1]:65535", "a-b.example:7461"}) {
    EXPECT_TRUE(SetValue(config, "listen.http", text).ok()) << text;
  }
}

TEST(SetValueTest, RefusesOtherWordsWhereOnlySomeAreKnown) {
  EXPECT_EQ(Refusal("log.level", "verbose"), "log.level: is \"verbose\"; write debug, info, warning or error");
  EXPECT_EQ(Refusal("store.directory", ""), "store.directory: is \"\"; write the path of a folder, in UTF-8");
}

TEST(SetValueTest, RefusesAPathThatIsNotUtf8) {
  for (const char* text :
       {"\xf6", "a\xc3", "\xc3z", "\x80", "\xe2\x82", "\xf5\x80\x80\x80", "\xc0\x80", "\xed\xa0\x80", "\xe0\x80\xaf"}) {
    EXPECT_THAT(Refusal("store.directory", text), HasSubstr("in UTF-8"));
  }
  v1::Config config = DefaultConfig();
  for (const char* text : {"\xc3\xb6", "\xe2\x82\xac/a", "\xf0\x9f\x93\x88"}) {
    EXPECT_TRUE(SetValue(config, "store.directory", text).ok()) << text;
  }
}

TEST(SetValueTest, ShortensAValueThatIsVeryLong) {
  EXPECT_LT(Refusal("limits.max_runs", std::string(100'000, 'x')).size(), 200);
}

TEST(ApplyEnvironmentTest, SetsWhatItNamesAndLeavesTheRest) {
  const Variable grpc("CURVECAST_LISTEN_GRPC", "0.0.0.0:1");
  const Variable runs("CURVECAST_LIMITS_MAX_RUNS", "7");
  const Variable of_kubernetes("CURVECAST_SERVICE_HOST", "10.0.0.1");
  v1::Config config = DefaultConfig();
  ASSERT_TRUE(ApplyEnvironment(config).ok());
  v1::Config expected = DefaultConfig();
  expected.mutable_listen()->set_grpc("0.0.0.0:1");
  expected.mutable_limits()->set_max_runs(7);
  EXPECT_TRUE(Same(config, expected)) << config.DebugString();
}

TEST(ApplyEnvironmentTest, NamesTheVariableThatIsWrong) {
  const Variable level("CURVECAST_LOG_LEVEL", "loud");
  v1::Config config = DefaultConfig();
  EXPECT_THAT(std::string(ApplyEnvironment(config).message()),
              AllOf(HasSubstr("CURVECAST_LOG_LEVEL"), HasSubstr("\"loud\""), HasSubstr("debug, info")));
}

TEST(PrintConfigTest, CanBeLoadedAgain) {
  v1::Config config = DefaultConfig();
  config.mutable_store()->set_directory("a \"quoted\": path\\ # with\neverything\t\xc3\xa9");
  config.mutable_forecasting()->set_refit_progress(0.1 + 0.2);
  config.mutable_limits()->set_max_grpc_memory_bytes(1'099'511'627'776);
  config.mutable_listen()->set_http("[::1]:0");
  absl::StatusOr<v1::Config> loaded = ParseConfig(PrintConfig(config), "printed");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(Same(*loaded, config)) << PrintConfig(config);
}

TEST(PrintConfigTest, HoldsEveryKeyAndWhatMayStandThere) {
  const std::string printed = PrintConfig(DefaultConfig());
  for (const Key& key : Keys()) {
    EXPECT_THAT(printed, AllOf(HasSubstr(key.field->name() + ": "), HasSubstr(Allowed(key)))) << key.name;
  }
}

}  // namespace
}  // namespace curvecast
