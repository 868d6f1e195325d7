#include "daemon/os/command_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace curvecast {
namespace {

namespace fs = std::filesystem;

class CommandSocketTest : public testing::Test {
 protected:
  CommandSocketTest() {
    std::string name = fs::temp_directory_path() / "curvecast_command_XXXXXX";
    root_ = mkdtemp(name.data());
    // Far longer than the address of a socket may be.
    folder_ = root_ / std::string(200, 'x');
    fs::create_directory(folder_);
  }
  ~CommandSocketTest() override { fs::remove_all(root_); }

  std::unique_ptr<CommandSocket> Listen() {
    auto socket = CommandSocket::Listen(folder_, [](const std::string& command) {
      return command == "do it" ? absl::OkStatus() : absl::InvalidArgumentError("not\n" + command);
    });
    EXPECT_TRUE(socket.ok()) << socket.status();
    return *std::move(socket);
  }

  fs::path root_, folder_;
};

TEST_F(CommandSocketTest, CarriesOutACommandAndSaysHowItWent) {
  const auto socket = Listen();
  EXPECT_EQ(CommandSocket::Give(folder_, "do it"), absl::OkStatus());
  EXPECT_EQ(CommandSocket::Give(folder_, "do that"), absl::InvalidArgumentError("not do that"));
}

TEST_F(CommandSocketTest, IsForTheDaemonsUserAlone) {
  const auto socket = Listen();
  EXPECT_EQ(fs::status(folder_ / "command.socket").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CommandSocketTest, TakesManyOneByOne) {
  const auto socket = Listen();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([this] { EXPECT_EQ(CommandSocket::Give(folder_, "do it"), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CommandSocketTest, SaysThatNobodyListensBeforeAndAfter) {
  EXPECT_TRUE(absl::IsNotFound(CommandSocket::Give(folder_, "do it")));
  Listen().reset();
  EXPECT_TRUE(absl::IsNotFound(CommandSocket::Give(folder_, "do it")));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(CommandSocketTest, TakesThePlaceOfOneThatWasLeft) {
  const auto killed = Listen();
  const auto socket = Listen();
  EXPECT_EQ(CommandSocket::Give(folder_, "do it"), absl::OkStatus());
}

}  // namespace
}  // namespace curvecast
