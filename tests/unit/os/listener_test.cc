#include "daemon/os/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace curvecast {
namespace {

class ListenerTest : public ::testing::Test {
 protected:
  ~ListenerTest() override {
    listener_ = nullptr;
    for (const int fd : taken_) close(fd);
    for (const int fd : clients_) close(fd);
  }
  void Start(const std::string& address) {
    auto listener = Listener::Listen(address);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    listener_->Start({.on_connection =
                          [this](int fd) {
                            std::lock_guard lock(mutex_);
                            taken_.push_back(fd);
                          },
                      .on_refused = [this](int64_t files) { refused_files_ = files, ++refused_; }});
  }
  // True if somebody took it; it may still be turned away.
  bool Connect() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    clients_.push_back(fd);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(listener_->port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }
  size_t taken() {
    std::lock_guard lock(mutex_);
    return taken_.size();
  }
  template <typename Predicate>
  static bool Eventually(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (predicate()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  std::mutex mutex_;
  std::vector<int> taken_, clients_;
  std::atomic<int> refused_{0};
  std::atomic<int64_t> refused_files_{0};
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, WhoConnectsIsHandedOn) {
  Start("127.0.0.1:0");
  for (size_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(Connect());
    EXPECT_TRUE(Eventually([&] { return taken() == i; }));
  }
  EXPECT_EQ(refused_, 0);
}

TEST_F(ListenerTest, AllAddressesOfANameAreListenedOn) {
  Start("localhost:0");
  ASSERT_TRUE(Connect());
  EXPECT_TRUE(Eventually([&] { return taken() == 1; }));
}

TEST_F(ListenerTest, APortThatIsTakenIsNamed) {
  Start("127.0.0.1:0");
  const std::string address = "127.0.0.1:" + std::to_string(listener_->port());
  const absl::Status status = Listener::Listen(address).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find(address), std::string_view::npos) << status;
  EXPECT_FALSE(Listener::Listen("no.such.host.invalid:1").ok());
}

TEST_F(ListenerTest, WithoutFilesItTurnsAwayAndGoesOnWhenThereAreSomeAgain) {
  Start("127.0.0.1:0");
  ASSERT_TRUE(Connect());
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  // All are open but those of four clients, and of these none that the listener may give away.
  constexpr rlim_t kFiles = 64;
  rlimit few = before;
  few.rlim_cur = kFiles;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  for (int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    taken_.push_back(fd);
  }
  ASSERT_GT(taken_.size(), 5u);
  for (int i = 0; i < 4; ++i) {
    close(taken_.back());
    taken_.pop_back();
  }
  const size_t taken_before = taken();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(Connect());
    EXPECT_TRUE(Eventually([&] { return refused_ >= i; }));
  }
  EXPECT_EQ(refused_files_, kFiles);
  // The client's socket is the last file: the listener's spare one must do.
  EXPECT_TRUE(Connect());
  EXPECT_TRUE(Eventually([&] { return refused_ >= 4; }));
  EXPECT_FALSE(Connect()) << "there was a file left";
  EXPECT_EQ(taken(), taken_before);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(Connect());
  EXPECT_TRUE(Eventually([&] { return taken() == taken_before + 1; }));
}

}  // namespace
}  // namespace curvecast
