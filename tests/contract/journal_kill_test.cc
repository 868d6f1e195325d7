// SIGKILL in the middle of appending: what was acknowledged is there, in order, and at most the one transaction under
// way more.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kEventsPerAppend = 3;

std::vector<Event> Transaction(uint64_t number) {
  std::vector<Event> events;
  for (uint64_t i = 0; i < kEventsPerAppend; ++i) {
    const uint64_t sequence = number * kEventsPerAppend + i;
    events.push_back(BatchOf(sequence, static_cast<Step>(sequence) * 64, 64));
  }
  return events;
}

// Appends transactions from `number` on and writes a byte for each that was acknowledged, until it is killed.
[[noreturn]] void AppendForEver(const fs::path& directory, uint64_t number, int acknowledgements) {
  auto journal = SqliteJournal::Open(directory);
  if (!journal.ok()) _exit(2);
  for (;; ++number) {
    if (!(*journal)->Append(Transaction(number)).ok()) _exit(3);
    if (write(acknowledgements, "+", 1) != 1) _exit(4);
  }
}

// Runs a writer, kills it after some acknowledgements, and says how many it gave.
uint64_t KillAfter(const fs::path& directory, uint64_t first_number, uint64_t wanted) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    AppendForEver(directory, first_number, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  uint64_t acknowledged = 0;
  char byte;
  while (acknowledged < wanted && read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
  kill(child, SIGKILL);
  while (read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;  // Given before it died.
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
  return acknowledged;
}

TEST(JournalKillTest, KeepsExactlyTheAcknowledgedPrefixAndAtMostOneTransactionMore) {
  std::string name = fs::temp_directory_path() / "curvecast_kill_XXXXXX";
  const fs::path directory = mkdtemp(name.data());
  std::mt19937_64 random(11);
  uint64_t on_disk = 0;  // Transactions.
  for (int life = 0; life < 40; ++life) {
    const uint64_t acknowledged = KillAfter(directory, on_disk, random() % 60);
    auto journal = SqliteJournal::Open(directory);
    ASSERT_TRUE(journal.ok()) << journal.status();
    uint64_t events = 0;
    const absl::Status status = (*journal)->Replay([&](const Event& event) {
      const Event expected = Transaction(events / kEventsPerAppend)[events % kEventsPerAppend];
      ++events;
      return EncodeEvent(event) == EncodeEvent(expected) ? absl::OkStatus()
                                                         : absl::InternalError("not what was appended");
    });
    ASSERT_TRUE(status.ok()) << status << " at event " << events;
    EXPECT_EQ(events % kEventsPerAppend, 0) << "a transaction is all or none";
    const uint64_t found = events / kEventsPerAppend;
    EXPECT_GE(found, on_disk + acknowledged);
    EXPECT_LE(found, on_disk + acknowledged + 1);
    on_disk = found;
  }
  fs::remove_all(directory);
}

}  // namespace
}  // namespace curvecast
