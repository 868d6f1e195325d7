// A damaged store is refused, or was not damaged where it matters: it never gives a wrong answer.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
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

class JournalDamageTest : public testing::Test {
 protected:
  JournalDamageTest() {
    std::string name = fs::temp_directory_path() / "curvecast_damage_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~JournalDamageTest() override { fs::remove_all(directory_); }

  std::string File() const { return directory_ / "journal.db"; }

  // Enough events for a tree of several levels, with rows of many sizes, some over several pages.
  std::string MakeStore() {
    auto journal = SqliteJournal::Open(directory_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    std::mt19937_64 random(1);
    std::vector<Event> events = EventsOfEveryKind();
    for (uint64_t i = 4; i < 300; ++i) events.push_back(BatchOf(i, static_cast<Step>(i) * 1000, random() % 512));
    EXPECT_TRUE((*journal)->Append(events).ok());
    for (const Event& event : events) appended_.push_back(EncodeEvent(event));
    journal->reset();
    return ReadFile();
  }

  std::string ReadFile() const {
    std::ifstream in(File(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void WriteStore(const std::string& bytes) const {
    for (const auto& entry : fs::directory_iterator(directory_)) fs::remove(entry.path());
    std::ofstream(File(), std::ios::binary) << bytes;
  }

  // OK only if the events are those that were appended; a refusal is OK only if it is one and says where.
  testing::AssertionResult IsRightOrRefused() const {
    auto journal = SqliteJournal::Open(directory_);
    if (!journal.ok()) return IsClearRefusal(journal.status());
    std::vector<std::string> replayed;
    const absl::Status status = (*journal)->Replay([&](const Event& event) {
      replayed.push_back(EncodeEvent(event));
      return absl::OkStatus();
    });
    if (!status.ok()) return IsClearRefusal(status);
    if (replayed == appended_) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "replayed " << replayed.size() << " events that are not the "
                                       << appended_.size() << " appended";
  }

  static testing::AssertionResult IsClearRefusal(const absl::Status& status) {
    const std::string message(status.message());
    const bool clear = (absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) &&
                       message.find("journal.db") != std::string::npos;
    if (clear) return testing::AssertionSuccess();
    return testing::AssertionFailure() << status;
  }

  fs::path directory_;
  std::vector<std::string> appended_;
};

TEST_F(JournalDamageTest, FlippedBytesAreRefusedOrHarmless) {
  const std::string store = MakeStore();
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = store;
    // Half of them in the first pages, where the marks, tables and upper levels are.
    const size_t at = random() % (i % 2 == 0 ? store.size() : 4 * 4096);
    damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1 + random() % 255));
    WriteStore(damaged);
    EXPECT_TRUE(IsRightOrRefused()) << "byte " << at << " of " << store.size();
  }
}

TEST_F(JournalDamageTest, CutFilesAreRefused) {
  const std::string store = MakeStore();
  std::mt19937_64 random(7);
  for (int i = 0; i < 30; ++i) {
    const size_t size = random() % store.size();
    WriteStore(store.substr(0, size));
    auto journal = SqliteJournal::Open(directory_);
    const absl::Status status =
        journal.ok() ? (*journal)->Replay([](const Event&) { return absl::OkStatus(); }) : journal.status();
    ASSERT_FALSE(status.ok()) << "cut to " << size << " of " << store.size();
    EXPECT_TRUE(IsClearRefusal(status));
  }
}

TEST_F(JournalDamageTest, SwappedPagesAreRefusedOrHarmless) {
  const std::string store = MakeStore();
  const size_t pages = store.size() / 4096;
  std::mt19937_64 random(3);
  for (int i = 0; i < 60; ++i) {
    std::string damaged = store;
    const size_t from = random() % pages;
    const size_t to = random() % pages;
    damaged.replace(to * 4096, 4096, store, from * 4096, 4096);
    WriteStore(damaged);
    EXPECT_TRUE(IsRightOrRefused()) << "page " << from << " over page " << to;
  }
}

TEST_F(JournalDamageTest, ADamagedRowIsNamed) {
  const std::string store = MakeStore();
  std::string damaged = store;
  const std::string row = appended_[20];
  damaged[store.find(row.substr(0, 64))] ^= 1;
  WriteStore(damaged);
  auto journal = SqliteJournal::Open(directory_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  const absl::Status status = (*journal)->Replay([](const Event&) { return absl::OkStatus(); });
  EXPECT_EQ(status,
            absl::DataLossError(File() + ": damaged: row 21 of table event: its checksum does not fit its bytes: "
                                         "restore it from a copy"));
}

}  // namespace
}  // namespace curvecast
