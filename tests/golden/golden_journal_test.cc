// A journal that any version wrote opens, and replays what was appended to it, for ever.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/ports/memory_journal.h"
#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

// A copy of a golden journal in a folder of its own.
fs::path CopyOf(const char* golden) {
  std::string name = fs::temp_directory_path() / "curvecast_golden_XXXXXX";
  const fs::path directory = mkdtemp(name.data());
  fs::copy_file(fs::path(GOLDEN) / golden, directory / "journal.db");
  fs::permissions(directory / "journal.db", fs::perms::owner_read | fs::perms::owner_write);
  return directory;
}

void ExpectReplays(SqliteJournal& journal, const std::vector<Event>& expected) {
  size_t found = 0;
  const absl::Status status = journal.Replay([&](const Event& event) {
    EXPECT_EQ(EncodeEvent(event), EncodeEvent(expected.at(found))) << "event " << found + 1;
    ++found;
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(found, expected.size());
}

TEST(GoldenJournalTest, OfVersion1ReplaysForEverIsBroughtToVersion2AndTakesMore) {
  const fs::path directory = CopyOf("journal_v1.db");
  std::vector<Event> expected = EventsOfEveryKind();
  {
    auto journal = SqliteJournal::OpenToLook(directory);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ((*journal)->version(), 1) << "a look changes nothing";
    ExpectReplays(**journal, expected);
  }
  {
    auto journal = SqliteJournal::Open(directory);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ((*journal)->migrated_from(), 1);
    expected.push_back(BatchOf(4, 3200, 64));
    ASSERT_TRUE((*journal)->Append({expected.back()}).ok());
    ExpectReplays(**journal, expected);
  }
  auto journal = SqliteJournal::Open(directory);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ((*journal)->migrated_from(), std::nullopt);
  EXPECT_EQ((*journal)->version(), 2);
  ExpectReplays(**journal, expected);
  journal->reset();
  fs::remove_all(directory);
}

TEST(GoldenJournalTest, OfVersion2ReplaysForEverWithWhatWasCompacted) {
  const fs::path directory = CopyOf("journal_v2.db");
  auto journal = SqliteJournal::Open(directory);
  ASSERT_TRUE(journal.ok()) << journal.status();
  const std::vector<Event> whole = FinishedRun(12);
  MemoryJournal memory;
  ASSERT_TRUE(memory.Append(whole).ok());
  std::vector<Event> expected = Compacted(whole, ReplacementOf(FinishedRunKey(), memory));
  expected.push_back(BatchOf(40, 9000, 64));
  ASSERT_TRUE((*journal)->Append({expected.back()}).ok());
  ExpectReplays(**journal, expected);
  journal->reset();
  fs::remove_all(directory);
}

}  // namespace
}  // namespace curvecast
