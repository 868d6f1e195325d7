// A disk that fails at the n-th read, write or sync, for every n that an open, a replay, appends and a write-back of
// the log get to: what was acknowledged is there, what was refused is not, and the daemon can go on once it is healed.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/faulty_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWriteBack = 200'000;  // Points of one batch, enough for the log to be written back (4 MB).

struct Kind {
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

  std::string name;
  FaultyDisk::Fault fault;
  absl::StatusCode code;  // What is said of it.
};

class JournalFaultTest : public testing::TestWithParam<Kind> {
 protected:
  JournalFaultTest() {
    std::string name = fs::temp_directory_path() / "curvecast_fault_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~JournalFaultTest() override { fs::remove_all(directory_); }

  void ExpectTold(const absl::Status& status) const {
    EXPECT_EQ(status.code(), GetParam().code) << status;
    EXPECT_NE(status.message().find("journal.db"), std::string_view::npos) << status;
  }

  // Opens, replays, appends; whatever fails is tried once more, since the fault strikes once.
  void Live(size_t points_in_the_last) {
    auto journal = SqliteJournal::Open(directory_);
    if (!journal.ok()) {
      ExpectTold(journal.status());
      journal = SqliteJournal::Open(directory_);
    }
    ASSERT_TRUE(journal.ok()) << journal.status();
    if (absl::Status status = Replay(**journal); !status.ok()) ExpectTold(status);
    for (int i = 0; i < 3; ++i) {
      const std::vector<Event> events = {BatchOf(++sequence_, 0, 100),
                                         BatchOf(++sequence_, 100, i < 2 ? 400 : points_in_the_last)};
      absl::Status status = (*journal)->Append(events);
      if (!status.ok()) {
        ExpectTold(status);
        EXPECT_EQ(Found(**journal), safe_) << "something is there of an append that was refused";
        status = (*journal)->Append(events);
      }
      ASSERT_TRUE(status.ok()) << status;
      for (const Event& event : events) safe_.push_back(std::hash<std::string>()(EncodeEvent(event)));
    }
  }

  static absl::Status Replay(SqliteJournal& journal) {
    return journal.Replay([](const Event&) { return absl::OkStatus(); });
  }

  static std::vector<size_t> Found(SqliteJournal& journal) {
    std::vector<size_t> found;
    EXPECT_TRUE(journal
                    .Replay([&](const Event& event) {
                      found.push_back(std::hash<std::string>()(EncodeEvent(event)));
                      return absl::OkStatus();
                    })
                    .ok());
    return found;
  }

  FaultyDisk disk_;
  fs::path directory_;
  uint64_t sequence_ = 0;
  std::vector<size_t> safe_;
};

TEST_P(JournalFaultTest, IsBorneAtWhateverOperationItStrikes) {
  int64_t n = 1;
  // Every one of the first, then ever fewer: a write-back is a thousand alike.
  for (bool struck = true; struck; n += 1 + n / 6) {
    SCOPED_TRACE("operation " + std::to_string(n));
    fs::remove_all(directory_);
    safe_.clear();
    // Something is there to be read and recovered.
    disk_.Heal();
    Live(400);
    disk_.Fail(GetParam().fault, n, 1);
    Live(kWriteBack);
    struck = disk_.struck() > 0;
    disk_.Heal();
    if (HasFatalFailure()) return;
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(Found(**journal), safe_);
  }
  EXPECT_GT(n, 3) << "the fault never struck";
}

INSTANTIATE_TEST_SUITE_P(
    Faults, JournalFaultTest,
    testing::Values(Kind{"NoSpace", FaultyDisk::Fault::kNoSpace, absl::StatusCode::kResourceExhausted},
                    Kind{"WriteError", FaultyDisk::Fault::kWriteError, absl::StatusCode::kUnavailable},
                    Kind{"ShortWrite", FaultyDisk::Fault::kShortWrite, absl::StatusCode::kResourceExhausted},
                    Kind{"SyncError", FaultyDisk::Fault::kSyncError, absl::StatusCode::kUnavailable},
                    Kind{"ReadError", FaultyDisk::Fault::kReadError, absl::StatusCode::kUnavailable}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace curvecast
