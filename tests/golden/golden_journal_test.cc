// A journal that version 1 wrote opens, and replays what was appended to it, for ever.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

TEST(GoldenJournalTest, OfVersion1ReplaysForEverAndTakesMore) {
  std::string name = fs::temp_directory_path() / "curvecast_golden_XXXXXX";
  const fs::path directory = mkdtemp(name.data());
  fs::copy_file(fs::path(GOLDEN) / "journal_v1.db", directory / "journal.db");
  fs::permissions(directory / "journal.db", fs::perms::owner_read | fs::perms::owner_write);
  auto journal = SqliteJournal::Open(directory);
  ASSERT_TRUE(journal.ok()) << journal.status();

  std::vector<Event> expected = EventsOfEveryKind();
  expected.push_back(BatchOf(4, 3200, 64));
  ASSERT_TRUE((*journal)->Append({expected.back()}).ok());
  size_t found = 0;
  const absl::Status status = (*journal)->Replay([&](const Event& event) {
    EXPECT_EQ(EncodeEvent(event), EncodeEvent(expected.at(found))) << "event " << found + 1;
    ++found;
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(found, expected.size());
  journal->reset();
  fs::remove_all(directory);
}

}  // namespace
}  // namespace curvecast
