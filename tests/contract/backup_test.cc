// A backup of a journal that is being appended to is a store, and holds what had been acknowledged when it was asked
// for.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/faulty_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    std::string name = fs::temp_directory_path() / "curvecast_backup_XXXXXX";
    directory_ = mkdtemp(name.data());
    auto journal = SqliteJournal::Open(directory_ / "store");
    EXPECT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  ~BackupTest() override {
    journal_.reset();
    fs::remove_all(directory_);
  }

  // Sequence n holds n points from step n on, so that a backup can be compared with what was appended.
  Event Numbered(uint64_t n) const { return BatchOf(n, static_cast<Step>(n), 100 + n % 50); }

  // How many of them a store has; checks each.
  uint64_t Count(const std::string& store) const {
    uint64_t count = 0;
    auto journal = SqliteJournal::Open(store);
    EXPECT_TRUE(journal.ok()) << journal.status();
    if (!journal.ok()) return 0;
    const absl::Status status = (*journal)->Replay([&](const Event& event) {
      ++count;
      return EncodeEvent(event) == EncodeEvent(Numbered(count)) ? absl::OkStatus() : absl::InternalError("another");
    });
    EXPECT_TRUE(status.ok()) << status << " at " << count;
    return count;
  }

  fs::path directory_;
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(BackupTest, HoldsWhatWasAcknowledgedWhileMoreIsAppended) {
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (uint64_t n = 1; !stop; ++n) {
      ASSERT_TRUE(journal_->Append({Numbered(n)}).ok());
      acknowledged = n;
    }
  });
  while (acknowledged < 2000) std::this_thread::yield();  // Past a write-back of the log.
  for (int i = 0; i < 5; ++i) {
    const std::string to = directory_ / std::to_string(i);
    const uint64_t before = acknowledged;
    const absl::Status status = journal_->BackUp(to);
    const uint64_t after = acknowledged + 1;  // One may be on disk and not yet counted.
    ASSERT_TRUE(status.ok()) << status;
    const uint64_t found = Count(to);
    EXPECT_GE(found, before);
    EXPECT_LE(found, after);
  }
  stop = true;
  writer.join();
}

TEST_F(BackupTest, NeverTouchesAStoreThatIsThere) {
  ASSERT_TRUE(journal_->BackUp(directory_ / "copy").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(journal_->BackUp(directory_ / "copy")));
  EXPECT_TRUE(absl::IsAlreadyExists(journal_->BackUp(directory_ / "store")));
}

TEST_F(BackupTest, ThatIsCancelledLeavesNoStore) {
  ASSERT_TRUE(journal_->Append({Numbered(1)}).ok());
  journal_->CancelBackUps();
  EXPECT_TRUE(absl::IsCancelled(journal_->BackUp(directory_ / "copy")));
  EXPECT_TRUE(fs::is_empty(directory_ / "copy"));
  EXPECT_TRUE(journal_->Append({Numbered(2)}).ok());
}

TEST_F(BackupTest, ThatFailsLeavesNoStoreAndTheJournalAsItWas) {
  journal_.reset();
  FaultyDisk disk;
  journal_ = *SqliteJournal::Open(directory_ / "store");
  ASSERT_TRUE(journal_->Append({Numbered(1), Numbered(2)}).ok());
  for (int64_t n = 1; n < 12; n += 2) {
    disk.Fail(FaultyDisk::Fault::kNoSpace, n, 1'000'000);
    const absl::Status status = journal_->BackUp(directory_ / "copy");
    if (disk.struck() > 0) {
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_FALSE(fs::exists(directory_ / "copy" / "journal.db"));
    }
    disk.Heal();
    fs::remove_all(directory_ / "copy");
  }
  ASSERT_TRUE(journal_->Append({Numbered(3)}).ok());
  journal_.reset();
  EXPECT_EQ(Count(directory_ / "store"), 3);
}

}  // namespace
}  // namespace curvecast
