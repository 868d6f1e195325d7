// SIGKILL in the middle of appending: what was acknowledged is there, in order, and at most the one transaction under
// way more.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/run_compactor.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kEventsPerAppend = 3;
constexpr int kRuns = 20;

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

// Runs a writer in a process of its own, kills it after some bytes that it wrote, and says how many it wrote.
uint64_t Kill(uint64_t wanted, const std::function<void(int pipe)>& writer) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    writer(pipe_ends[1]);
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
    const uint64_t acknowledged = Kill(random() % 60, [&](int pipe) { AppendForEver(directory, on_disk, pipe); });
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

// Compacts run after run and writes a byte for each replacement, until it is killed.
[[noreturn]] void CompactForEver(const fs::path& directory, int replacements) {
  auto journal = SqliteJournal::Open(directory);
  if (!journal.ok()) _exit(2);
  for (int run = 0; run <= kRuns; ++run) {
    const RunKey key{"demo", "r" + std::to_string(run)};
    RunCompactor compactor(Prior::Shipped(), EndOf(key, **journal), {.max_rows = 8, .max_bytes = 1 << 20});
    const auto events = (*journal)->Read(1, size_t{1} << 30);
    if (!events.ok()) _exit(3);
    for (const StoredEvent& stored : *events) {
      if (!(stored.event.key == key)) continue;
      const auto made = compactor.Take(stored);
      if (!made.ok()) _exit(4);
      if (!made->has_value()) continue;
      if (!(*journal)->Replace(**made).ok()) _exit(5);
      if (write(replacements, "+", 1) != 1) _exit(6);
    }
  }
  while (true) pause();
}

// All that the runs of a store are made of.
std::string Shown(const fs::path& directory, int& places) {
  places = 0;
  auto journal = SqliteJournal::Open(directory);
  EXPECT_TRUE(journal.ok()) << journal.status();
  Engine engine;
  const absl::Status status = (*journal)->Replay([&](const Event& event) {
    places += std::holds_alternative<CurveKept>(event.body);
    return engine.Apply(event).status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return engine.State();
}

TEST(JournalKillTest, ARunThatWasBeingCompactedIsThere) {
  std::string name = fs::temp_directory_path() / "curvecast_kill_XXXXXX";
  const fs::path directory = mkdtemp(name.data());
  {
    auto journal = SqliteJournal::Open(directory);
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (int run = 0; run <= kRuns; ++run) {
      std::vector<Event> events = FinishedRun(30);
      std::erase_if(events, [](const Event& event) { return event.key.run_id == "other"; });
      for (Event& event : events) {
        event.key.run_id = "r" + std::to_string(run);
        if (auto* opened = std::get_if<RunOpened>(&event.body)) opened->spec.key = event.key;
      }
      ASSERT_TRUE((*journal)->Append(events).ok());
    }
  }
  int places = 0;
  const std::string before = Shown(directory, places);
  std::mt19937_64 random(7);
  for (int life = 0; life < 20; ++life) {
    Kill(1 + random() % 3, [&](int replacements) { CompactForEver(directory, replacements); });
    ASSERT_TRUE(Shown(directory, places) == before) << "in life " << life;
  }
  EXPECT_GT(places, 5);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace curvecast
