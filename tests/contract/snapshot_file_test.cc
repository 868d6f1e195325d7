// A snapshot beside a journal gives the state that the journal gives, or is not used.

#include "daemon/store/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/sample_events.h"
#include "tests/contract/sample_replacement.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// CURVECAST_BYTE_FLIPS=10000 build/dev/bin/snapshot_file_test
int Flips() {
  const char* wanted = std::getenv("CURVECAST_BYTE_FLIPS");
  return wanted == nullptr ? 300 : std::atoi(wanted);
}

using Files = std::map<std::string, std::string>;

class SnapshotFileTest : public testing::Test {
 protected:
  SnapshotFileTest() {
    std::string name = fs::temp_directory_path() / "curvecast_snapshot_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SnapshotFileTest() override { fs::remove_all(directory_); }

  std::unique_ptr<SqliteJournal> OpenJournal() const {
    auto journal = SqliteJournal::Open(directory_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }

  // As EngineThread does it.
  absl::Status Snap(Journal& journal, Engine& engine, size_t piece_bytes = 20'000) const {
    SnapshotFile file(directory_, "this build");
    engine.BeginSave();
    auto writing = file.Write({*journal.Newest(), engine.settings()});
    if (!writing.ok()) return writing.status();
    for (bool all = false; !all;) {
      std::string piece;
      all = engine.Save(piece_bytes, piece);
      if (piece.empty()) continue;
      if (absl::Status status = (*writing)->Add(piece); !status.ok()) return status;
    }
    return (*writing)->Finish();
  }

  // A store that was stopped: events, a snapshot of most of them, and some that came after it.
  Files MakeStore() {
    auto journal = OpenJournal();
    Engine engine;
    std::vector<Event> events = EventsOfEveryKind();
    for (uint64_t i = 4; i < 100; ++i) events.push_back(BatchOf(i, 4000 + static_cast<Step>(i) * 50, 40));
    const size_t snapped = events.size() - 20;
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_TRUE(journal->Append({events[i]}).ok());
      EXPECT_TRUE(engine.Apply(events[i]).ok());
      if (i != snapped) continue;
      EXPECT_TRUE(Snap(*journal, engine).ok());
    }
    state_ = engine.State();
    events_ = static_cast<int64_t>(events.size());
    snapped_ = static_cast<int64_t>(snapped) + 1;
    journal.reset();
    return ReadFiles();
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

  struct Started {
    absl::Status journal;   // Otherwise the daemon refuses to start.
    absl::Status snapshot;  // Otherwise it was not used.
    int64_t replayed = 0;
    std::string state;
  };
  Started Start(const std::string& build = "this build", const WatchOptions& watch = {}) const {
    Started started;
    auto journal = SqliteJournal::Open(directory_);
    started.journal = journal.status();
    if (!journal.ok()) return started;
    Engine engine(Prior::Shipped(), watch);
    SnapshotFile file(directory_, build);
    const auto loaded = LoadSnapshot(file, **journal, engine);
    started.snapshot = loaded.status();
    started.journal = (*journal)->Replay(loaded.ok() ? loaded->id : 0, [&](const Event& event) {
      ++started.replayed;
      return engine.Apply(event).status();
    });
    if (started.journal.ok()) started.state = engine.State();
    return started;
  }

  fs::path directory_;
  std::string state_;
  int64_t events_ = 0, snapped_ = 0;
};

TEST_F(SnapshotFileTest, AStartReplaysTheTailAloneAndHasTheSameState) {
  MakeStore();
  const Started started = Start();
  ASSERT_TRUE(started.snapshot.ok()) << started.snapshot;
  EXPECT_EQ(started.replayed, events_ - snapped_);
  EXPECT_TRUE(started.state == state_);
}

TEST_F(SnapshotFileTest, AStoreWithoutOneIsReplayedWhole) {
  Files files = MakeStore();
  files.erase("journal.snapshot");
  WriteFiles(files);
  const Started started = Start();
  EXPECT_TRUE(absl::IsNotFound(started.snapshot)) << started.snapshot;
  EXPECT_EQ(started.replayed, events_);
  EXPECT_TRUE(started.state == state_);
}

TEST_F(SnapshotFileTest, OneOfAnotherBuildOrOfOtherSettingsIsNotUsed) {
  MakeStore();
  const Started other_build = Start("another build");
  EXPECT_TRUE(absl::IsFailedPrecondition(other_build.snapshot));
  EXPECT_THAT(std::string(other_build.snapshot.message()), HasSubstr("another build of curvecast wrote it"));
  EXPECT_EQ(other_build.replayed, events_);
  EXPECT_TRUE(other_build.state == state_);
  WatchOptions watch;
  watch.false_alarms_per_1000_run_days = 2;
  const Started other_settings = Start("this build", watch);
  EXPECT_THAT(std::string(other_settings.snapshot.message()), HasSubstr("other settings"));
  EXPECT_EQ(other_settings.replayed, events_);
}

TEST_F(SnapshotFileTest, OneOfAnotherJournalIsNotUsed) {
  const std::string snapshot = MakeStore().at("journal.snapshot");
  WriteFiles({});
  {
    auto journal = OpenJournal();
    ASSERT_TRUE(journal->Append(EventsOfEveryKind()).ok());
    std::ofstream(directory_ / "journal.snapshot", std::ios::binary) << snapshot;
  }
  Started started = Start();
  EXPECT_THAT(std::string(started.snapshot.message()), HasSubstr("an event 87 that is not in this journal"));
  // Nor once that one has an event of this number.
  {
    auto journal = OpenJournal();
    for (uint64_t i = 4; i < 100; ++i) ASSERT_TRUE(journal->Append({BatchOf(i, 0, 1)}).ok());
  }
  started = Start();
  EXPECT_TRUE(absl::IsFailedPrecondition(started.snapshot)) << started.snapshot;
  EXPECT_EQ(started.replayed, events_);
}

// Runs that are over are compacted: before the snapshot's event, around it, and the event itself.
TEST_F(SnapshotFileTest, ACompactionLeavesItOfUseUnlessItIsOfAnEventThatIsGone) {
  const std::vector<Event> run = FinishedRun(16);
  const size_t last = run.size() - 1;
  int used = 0;
  for (size_t snapped = 0; snapped <= last + 1; ++snapped) {
    SCOPED_TRACE(snapped);
    WriteFiles({});
    bool gone = false;
    {
      auto journal = OpenJournal();
      Engine engine;
      for (size_t i = 0; i <= last + 1; ++i) {
        const Event event = i <= last ? run[i] : EventsOfEveryKind().front();
        ASSERT_TRUE(journal->Append({event}).ok());
        ASSERT_TRUE(engine.Apply(event).ok());
        if (i == snapped) {
          ASSERT_TRUE(Snap(*journal, engine).ok());
        }
      }
      state_ = engine.State();
      const Replacement replacement = ReplacementOf(FinishedRunKey(), *journal);
      ASSERT_TRUE(journal->Replace(replacement).ok());
      gone = std::binary_search(replacement.ids.begin(), replacement.ids.end(), static_cast<int64_t>(snapped) + 1);
    }
    const Started started = Start();
    ASSERT_TRUE(started.journal.ok()) << started.journal;
    EXPECT_EQ(started.snapshot.ok(), !gone) << started.snapshot;
    EXPECT_TRUE(started.state == state_);
    used += gone ? 0 : 1;
  }
  EXPECT_GT(used, 16);
}

TEST_F(SnapshotFileTest, OneThatIsNotFinishedTakesNoPlace) {
  const Files files = MakeStore();
  {
    SnapshotFile file(directory_, "this build");
    auto writing = file.Write({{1, 2}, "settings"});
    ASSERT_TRUE(writing.ok()) << writing.status();
    ASSERT_TRUE((*writing)->Add("something").ok());
    EXPECT_EQ(ReadFiles().count("journal.snapshot.new"), 1u);
  }
  EXPECT_EQ(ReadFiles(), files);
  // A daemon that was killed leaves one lying.
  Files killed = files;
  killed["journal.snapshot.new"] = "CvCtSnap and then";
  WriteFiles(killed);
  EXPECT_TRUE(Start().state == state_);
  auto journal = OpenJournal();
  Engine engine;
  ASSERT_TRUE(Snap(*journal, engine).ok());
  EXPECT_EQ(ReadFiles().count("journal.snapshot.new"), 0u);
}

TEST_F(SnapshotFileTest, AFolderThatTakesNoFileSaysSo) {
  SnapshotFile file(directory_ / "missing", "this build");
  EXPECT_TRUE(absl::IsUnavailable(file.Write({}).status()));
}

TEST_F(SnapshotFileTest, ASnapshotThatIsCutAnywhereIsNotUsed) {
  const Files files = MakeStore();
  const size_t size = files.at("journal.snapshot").size();
  for (size_t cut = 0; cut < size; cut += 1 + size / static_cast<size_t>(Flips())) {
    Files damaged = files;
    damaged["journal.snapshot"].resize(cut);
    WriteFiles(damaged);
    const Started started = Start();
    EXPECT_FALSE(started.snapshot.ok()) << "cut at " << cut;
    EXPECT_TRUE(started.state == state_) << "cut at " << cut;
  }
  Files longer = files;
  longer["journal.snapshot"] += '\0';
  WriteFiles(longer);
  EXPECT_TRUE(absl::IsDataLoss(Start().snapshot));
}

// Whatever byte of whatever file: the state is that of the events, or the daemon refuses to start.
TEST_F(SnapshotFileTest, FlippedBytesGiveTheRightStateOrAClearRefusal) {
  const Files files = MakeStore();
  std::mt19937_64 random(20261127);
  for (int i = 0; i < 2 * Flips(); ++i) {
    Files damaged = files;
    // Every other one in the snapshot.
    auto file = damaged.find("journal.snapshot");
    if (i % 2 == 1) file = std::next(damaged.begin(), static_cast<int64_t>(random() % damaged.size()));
    std::string& bytes = file->second;
    const size_t at = random() % (random() % 4 == 0 ? std::min<size_t>(bytes.size(), 256) : bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
    SCOPED_TRACE(file->first + " byte " + std::to_string(at));
    WriteFiles(damaged);
    const Started started = Start();
    if (!started.journal.ok()) {
      EXPECT_NE(file->first, "journal.snapshot") << "a snapshot is only a cache";
      EXPECT_TRUE(absl::IsDataLoss(started.journal) || absl::IsFailedPrecondition(started.journal)) << started.journal;
      continue;
    }
    EXPECT_TRUE(started.state == state_);
    EXPECT_TRUE(file->first != "journal.snapshot" || !started.snapshot.ok());
  }
}

TEST_F(SnapshotFileTest, ABuildIsTheSameEachTime) {
  EXPECT_EQ(SnapshotFile::ThisBuild(), SnapshotFile::ThisBuild());
  EXPECT_GE(SnapshotFile::ThisBuild().size(), 64u + 1 + 16);
}

}  // namespace
}  // namespace curvecast
