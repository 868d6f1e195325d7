#include "tests/bench/load/own_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace curvecast {
namespace {

constexpr std::chrono::seconds kStartTime{20};
constexpr std::chrono::milliseconds kPoll{5};

std::string ReadText(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "VmRSS:     1234 kB" of /proc/PID/status; 0 if it has no such line.
int64_t KilobytesAfter(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::strtoll(text.c_str() + at + name.size(), nullptr, 10);
}

// On the loopback; empty if the log has no such words.
std::string AddressAfter(const std::string& log, const std::string& words) {
  const size_t at = log.find(words);
  return at == std::string::npos ? "" : fmt::format("127.0.0.1:{}", std::atoi(log.c_str() + at + words.size()));
}

}  // namespace

OwnDaemon::OwnDaemon(std::string store, std::vector<std::string> flags)
    : store_(std::move(store)), flags_(std::move(flags)) {}

OwnDaemon::~OwnDaemon() { Kill(); }

std::string OwnDaemon::Log() const { return store_ + ".log"; }

absl::Status OwnDaemon::Start() {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "curvecastd";
  std::vector<std::string> words = {program, "--data-dir", store_, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"};
  words.insert(words.end(), flags_.begin(), flags_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::filesystem::remove(Log());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, Log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = 0;
    return absl::NotFoundError(fmt::format("{}: cannot be started: build target curvecastd first", program));
  }
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < deadline) {
    const std::string log = ReadText(Log());
    address_ = AddressAfter(log, "gRPC on port ");
    http_address_ = AddressAfter(log, "HTTP on port ");
    const bool whole = log.find('\n', std::min(log.size(), log.find("HTTP on port "))) != std::string::npos;
    if (whole && !address_.empty() && !http_address_.empty()) return absl::OkStatus();
    std::this_thread::sleep_for(kPoll);
  }
  return absl::UnavailableError(fmt::format("curvecastd does not listen; it says: {}", ReadText(Log())));
}

void OwnDaemon::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

OwnDaemon::Usage OwnDaemon::usage() const {
  const std::string folder = fmt::format("/proc/{}/", pid_);
  const std::string status = ReadText(folder + "status");
  std::string stat = ReadText(folder + "stat");
  stat.erase(0, stat.rfind(')') + 1);  // The name before it may hold anything.
  char state = 0;
  int64_t skipped = 0, user = 0, system = 0;
  std::istringstream fields(stat);
  fields >> state;
  for (int i = 0; i < 10; ++i) fields >> skipped;
  fields >> user >> system;
  return {.cpu_seconds = static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)),
          .resident_bytes = KilobytesAfter(status, "VmRSS:") * 1024,
          .most_resident_bytes = KilobytesAfter(status, "VmHWM:") * 1024};
}

}  // namespace curvecast
