// A damaged store is refused, or was not damaged where it matters: it never gives a wrong answer.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_handle.h"
#include "daemon/store/sqlite_journal.h"
#include "fmt/format.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

// How many flips and cuts each test tries: CURVECAST_BYTE_FLIPS=10000 build/dev/bin/journal_damage_test
int Flips() {
  const char* wanted = std::getenv("CURVECAST_BYTE_FLIPS");
  return wanted == nullptr ? 300 : std::atoi(wanted);
}

// Bytes by name, of all that lies in a store's folder but its lock.
using Files = std::map<std::string, std::string>;

class JournalDamageTest : public testing::Test {
 protected:
  JournalDamageTest() {
    std::string name = fs::temp_directory_path() / "curvecast_damage_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~JournalDamageTest() override { fs::remove_all(directory_); }

  std::string File() const { return directory_ / "journal.db"; }

  // Enough events for a tree of several levels, with rows of many sizes, some over several pages. `end` is called while
  // the journal is still open.
  void Fill(const std::function<void()>& end) {
    auto journal = SqliteJournal::Open(directory_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    std::mt19937_64 random(1);
    std::vector<Event> events = EventsOfEveryKind();
    for (uint64_t i = 4; i < 300; ++i) events.push_back(BatchOf(i, static_cast<Step>(i) * 1000, random() % 512));
    // Most at once, the rest one by one: the log of a killed store has many transactions.
    const size_t first = events.size() - 20;
    EXPECT_TRUE((*journal)->Append(absl::MakeSpan(events).first(first)).ok());
    for (size_t i = first; i < events.size(); ++i) EXPECT_TRUE((*journal)->Append({events[i]}).ok());
    // A compaction before the last appends: pages lie free, ids are gone, old rows lie about.
    if (compacted_) {
      std::vector<Event> run = FinishedRun(100);
      const RunKey key{"demo", "ended"};
      for (Event& event : run) {
        if (event.key == FinishedRunKey()) event.key = key;
        if (auto* opened = std::get_if<RunOpened>(&event.body)) opened->spec.key = event.key;
      }
      const auto before = static_cast<int64_t>(events.size());
      EXPECT_TRUE((*journal)->Append(run).ok());
      events.insert(events.end(), run.begin(), run.end());
      const Replacement replacement = ReplacementOf(key, **journal);
      EXPECT_TRUE((*journal)->Replace(replacement).ok());
      events = Compacted(events, replacement);
      for (int64_t i = 1; i < 8; ++i) {
        events.push_back(BatchOf(static_cast<uint64_t>(before + i), 0, 40));
        EXPECT_TRUE((*journal)->Append({events.back()}).ok());
      }
    }
    for (const Event& event : events) appended_.push_back(EncodeEvent(event));
    end();
  }

  // A store that was stopped in peace: one file.
  std::string MakeStore() {
    Fill([] {});
    return ReadFiles().at("journal.db");
  }

  // One whose daemon was killed: most of it is in the log.
  Files MakeKilledStore() {
    Files files;
    Fill([&] { files = ReadFiles(); });
    return files;
  }

  Files ReadFiles() const {
    Files files;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().filename() == "journal.lock") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      files[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
  }

  void WriteFiles(const Files& files) const {
    for (const auto& entry : fs::directory_iterator(directory_)) fs::remove(entry.path());
    for (const auto& [name, bytes] : files) std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }
  void WriteStore(const std::string& bytes) const { WriteFiles({{"journal.db", bytes}}); }

  // OK only if the events are those that were appended, now and after more were; a refusal is OK only if it is one,
  // says where, and leaves the files as they are.
  testing::AssertionResult IsRightOrRefused() const {
    const Files before = ReadFiles();
    std::vector<std::string> expected = appended_;
    for (uint64_t life = 0; life < 2; ++life) {
      auto journal = SqliteJournal::Open(directory_);
      if (!journal.ok() && !LeftAlone(before)) return testing::AssertionFailure() << "the refusal changed the files";
      if (!journal.ok()) return IsClearRefusal(journal.status(), life);
      std::vector<std::string> replayed;
      absl::Status status = (*journal)->Replay([&](const Event& event) {
        replayed.push_back(EncodeEvent(event));
        return absl::OkStatus();
      });
      if (!status.ok()) return IsClearRefusal(status, life);
      if (replayed != expected) {
        return testing::AssertionFailure() << "life " << life << " replayed " << replayed.size()
                                           << " events that are not the " << expected.size() << " appended";
      }
      for (uint64_t i = 0; i < 12; ++i) {
        const Event more = BatchOf(1000 * (life + 1) + i, 0, 40 * i * i);
        status = (*journal)->Append({more});
        if (!status.ok()) return IsClearRefusal(status, life);
        expected.push_back(EncodeEvent(more));
      }
    }
    return testing::AssertionSuccess();
  }

  // Files without content may have been made beside them.
  bool LeftAlone(Files before) const {
    const Files now = ReadFiles();
    for (const auto& [name, bytes] : now) {
      if (bytes.empty()) before.try_emplace(name);
    }
    return now == before;
  }

  // Once something was acknowledged on top, it must stay readable.
  static testing::AssertionResult IsClearRefusal(const absl::Status& status, uint64_t life) {
    const std::string message(status.message());
    const bool clear = (absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) &&
                       message.find("journal.") != std::string::npos;
    if (clear && life == 0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "in life " << life << ": " << status;
  }

  fs::path directory_;
  bool compacted_ = false;
  std::vector<std::string> appended_;
};

// Changes one byte, or cuts a file short; says where.
std::string Damage(Files& files, std::mt19937_64& random) {
  auto file = std::next(files.begin(), static_cast<int64_t>(random() % files.size()));
  std::string& bytes = file->second;
  // Half of them in the first pages, where the marks, tables and upper levels are.
  const size_t at = random() % (random() % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 4 * 4096));
  const bool cut = random() % 8 == 0;
  if (cut) {
    bytes.resize(at);
  } else {
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
  }
  return fmt::format("{} {} byte {}", file->first, cut ? "cut at" : "with another", at);
}

TEST_F(JournalDamageTest, FlippedBytesOfAStoppedStoreAreRefusedOrHarmless) {
  const std::string store = MakeStore();
  std::mt19937_64 random(20261122);
  for (int i = 0; i < Flips(); ++i) {
    Files damaged = {{"journal.db", store}};
    SCOPED_TRACE(Damage(damaged, random));
    WriteFiles(damaged);
    EXPECT_TRUE(IsRightOrRefused());
  }
}

TEST_F(JournalDamageTest, FlippedBytesOfAKilledStoreAndItsLogAreRefusedOrHarmless) {
  const Files store = MakeKilledStore();
  ASSERT_EQ(store.count("journal.db-wal"), 1);
  ASSERT_EQ(store.count("journal.tip"), 1);
  std::mt19937_64 random(20261126);
  for (int i = 0; i < Flips(); ++i) {
    Files damaged = store;
    SCOPED_TRACE(Damage(damaged, random));
    WriteFiles(damaged);
    EXPECT_TRUE(IsRightOrRefused());
  }
}

TEST_F(JournalDamageTest, FlippedBytesOfACompactedStoreAreRefusedOrHarmless) {
  compacted_ = true;
  const Files store = MakeKilledStore();
  const std::string stopped = ReadFiles().at("journal.db");
  std::mt19937_64 random(20261127);
  for (int i = 0; i < Flips(); ++i) {
    Files damaged = i % 2 == 0 ? store : Files{{"journal.db", stopped}};
    SCOPED_TRACE(Damage(damaged, random));
    WriteFiles(damaged);
    EXPECT_TRUE(IsRightOrRefused());
  }
}

TEST_F(JournalDamageTest, ARowThatIsGoneIsNamedAmongGapsThatCompactionLeft) {
  compacted_ = true;
  MakeStore();
  {
    auto database = SqliteDatabase::Open(File(), SqliteDatabase::IfMissing::kFail);
    ASSERT_TRUE(database.ok() && database->Execute("DELETE FROM event WHERE id IN (308, 309)").ok());
  }
  auto journal = SqliteJournal::Open(directory_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  const absl::Status status = (*journal)->Replay([](const Event&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("row 308 of table event: missing"), std::string_view::npos) << status;
}

// A gap of 2^62 rows is not counted row by row.
TEST_F(JournalDamageTest, ARowFarBehindTheLastIsRefusedAtOnce) {
  MakeStore();
  {
    auto database = SqliteDatabase::Open(File(), SqliteDatabase::IfMissing::kFail);
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE(
        database->Execute("UPDATE event SET id = 4611686018427387904 WHERE id = (SELECT max(id) FROM event)").ok());
  }
  const absl::Status status = SqliteJournal::Open(directory_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("ends with event 4611686018427387904"), std::string_view::npos) << status;
}

// A start with a snapshot reads the rows behind it alone.
TEST_F(JournalDamageTest, ARowThatIsGoneIsMissedBehindASnapshotAndBeforeIt) {
  compacted_ = true;
  MakeStore();
  const Files store = ReadFiles();
  const auto replay = [&](int64_t without, int64_t after) {
    WriteFiles(store);
    {
      auto database = SqliteDatabase::Open(File(), SqliteDatabase::IfMissing::kFail);
      EXPECT_TRUE(database.ok());
      EXPECT_TRUE(database->Execute(fmt::format("DELETE FROM event WHERE id = {}", without)).ok());
    }
    auto journal = SqliteJournal::Open(directory_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return (*journal)->Replay(after, [](const Event&) { return absl::OkStatus(); });
  };
  EXPECT_TRUE(replay(0, 300).ok()) << "nothing is missing";
  const absl::Status behind = replay(308, 300);
  EXPECT_TRUE(absl::IsDataLoss(behind)) << behind;
  EXPECT_NE(behind.message().find("row 308 of table event: missing"), std::string_view::npos) << behind;
  // Among gaps, in front of the row that stands for them.
  const absl::Status among_gaps = replay(310, 308);
  EXPECT_NE(among_gaps.message().find("row 310 of table event: missing"), std::string_view::npos) << among_gaps;
  const absl::Status before = replay(20, 300);
  EXPECT_TRUE(absl::IsDataLoss(before)) << before;
  EXPECT_NE(before.message().find("events that are not the"), std::string_view::npos) << before;
}

// The signposts of a tree are not read by a replay, and steer where the next row goes.
TEST_F(JournalDamageTest, EveryByteOfTheFirstPagesIsRefusedOrHarmless) {
  const std::string store = MakeStore();
  std::mt19937_64 random(5);
  const auto step = static_cast<size_t>(std::max(1, 120 * 300 / std::max(1, Flips())));
  for (size_t at = 0; at < 4 * 4096; at += 1 + random() % step) {
    std::string damaged = store;
    damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1 << random() % 8));
    WriteStore(damaged);
    EXPECT_TRUE(IsRightOrRefused()) << "byte " << at;
  }
}

// Taken for an empty one, it would cost the log.
TEST_F(JournalDamageTest, AFileThatIsCutDownToAFewBytesIsRefusedWithItsLogLeftAlone) {
  const Files store = MakeKilledStore();
  for (const size_t size : {0, 1, 15, 16, 99, 100, 511, 512, 513, 1023, 4095, 4096, 4097, 8191}) {
    Files damaged = store;
    damaged["journal.db"].resize(size);
    WriteFiles(damaged);
    EXPECT_TRUE(IsRightOrRefused()) << "cut to " << size;
  }
}

// SQLite calls that an error of no kind.
TEST_F(JournalDamageTest, AnUnknownFileFormatIsDamage) {
  std::string damaged = MakeStore();
  damaged[47] = 9;
  WriteStore(damaged);
  EXPECT_TRUE(IsRightOrRefused());
}

TEST_F(JournalDamageTest, ALogThatIsGoneIsMissed) {
  Files store = MakeKilledStore();
  store.erase("journal.db-wal");
  WriteFiles(store);
  const absl::Status status = SqliteJournal::Open(directory_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("event 306 was acknowledged"), std::string_view::npos) << status;
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
