// The power goes at any write, truncation, sync or removal, and takes any sectors that were not synced: what was
// acknowledged is there, in order and once, and of the one transaction under way all or nothing.
//   CURVECAST_POWER_CUTS=5000 build/dev/tests/contract/journal_power_cut_test

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/store/event_codec.h"
#include "daemon/store/sqlite_journal.h"
#include "tests/contract/power_cut_disk.h"
#include "tests/contract/sample_events.h"

namespace curvecast {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kCutsAStore = 20;  // Then a new one, so that a replay stays short.

uint64_t Cuts() {
  const char* wanted = std::getenv("CURVECAST_POWER_CUTS");
  return wanted == nullptr ? 100 : std::strtoull(wanted, nullptr, 10);
}

uint64_t Digest(const Event& event) { return std::hash<std::string>()(EncodeEvent(event)); }

// A store, and what must be in it.
class CutStore {
 public:
  CutStore() {
    std::string name = fs::temp_directory_path() / "curvecast_power_XXXXXX";
    directory_ = mkdtemp(name.data());
    EXPECT_TRUE(SqliteJournal::Open(directory_).ok());  // The making of files is not what is tried here.
  }
  ~CutStore() { fs::remove_all(directory_); }

  // Lives until the power goes: opens, replays, appends, closes, opens again. Whatever else fails is tried again.
  void LiveUntilCut(PowerCutDisk& disk, std::mt19937_64& random) {
    // Many cuts early, where opening and recovery are; some late, where the log has been written back.
    disk.CutAt(static_cast<int64_t>(1 + random() % (random() % 4 == 0 ? 4000 : 60)));
    while (!disk.out()) {
      auto journal = SqliteJournal::Open(directory_);
      if (disk.out()) return;
      if (absl::IsUnavailable(journal.status())) journal = SqliteJournal::Open(directory_);
      if (disk.out()) return;
      ASSERT_TRUE(journal.ok()) << journal.status();
      Check(**journal);
      if (testing::Test::HasFatalFailure()) return;
      const bool large = random() % 4 == 0;
      for (uint64_t left = random() % 200; left > 0 && !disk.out(); --left) {
        if (random() % 16 == 0) {
          Replace(**journal, disk, random);
        } else {
          Append(**journal, disk, large, random);
        }
        if (testing::Test::HasFatalFailure()) return;
      }
      if (testing::Test::HasFatalFailure()) return;
    }
  }

 private:
  void Check(SqliteJournal& journal) {
    std::vector<uint64_t> found;
    const absl::Status status = journal.Replay([&](const Event& event) {
      found.push_back(Digest(event));
      return absl::OkStatus();
    });
    ASSERT_TRUE(status.ok()) << status;
    std::vector<uint64_t> with_pending = safe_;
    with_pending.insert(with_pending.end(), pending_.begin(), pending_.end());
    ASSERT_TRUE(found == safe_ || found == with_pending || (!replaced_.empty() && found == replaced_))
        << found.size() << " events found, " << safe_.size() << " acknowledged, " << pending_.size() << " under way";
    safe_ = std::move(found);
    pending_.clear();
    replaced_.clear();
  }

  void Append(SqliteJournal& journal, const PowerCutDisk& disk, bool large, std::mt19937_64& random) {
    std::vector<Event> events;
    for (uint64_t i = 1 + random() % 4; i > 0; --i) {
      events.push_back(BatchOf(++sequence_, static_cast<Step>(random() % 100000), random() % (large ? 3000 : 100)));
    }
    std::vector<uint64_t> digests;
    for (const Event& event : events) digests.push_back(Digest(event));
    const absl::Status status = journal.Append(events);
    if (status.ok()) {
      safe_.insert(safe_.end(), digests.begin(), digests.end());
      pending_.clear();
      replaced_.clear();
    } else {
      ASSERT_TRUE(disk.out() || absl::IsUnavailable(status)) << status;
      pending_ = std::move(digests);
    }
  }

  // Some of the rows that are there, by an event that stands for them.
  void Replace(SqliteJournal& journal, const PowerCutDisk& disk, std::mt19937_64& random) {
    const auto stored = journal.Read(1, size_t{1} << 30);
    if (!stored.ok() || stored->empty()) return;
    Replacement replacement;
    CurveKept kept;
    for (const StoredEvent& row : *stored) {
      if (random() % 3 != 0 && row.id != stored->front().id) continue;
      if (!replacement.ids.empty()) kept.replaced.push_back({replacement.ids.back(), replacement.ids.back()});
      replacement.ids.push_back(row.id);
      const auto* before = std::get_if<CurveKept>(&row.event.body);
      if (before != nullptr)
        kept.replaced.insert(kept.replaced.end(), before->replaced.begin(), before->replaced.end());
    }
    kept.replaced = Joined(std::move(kept.replaced));
    replacement.kept = {1, {"demo", "plain"}, kept};
    std::vector<uint64_t> after;
    for (const StoredEvent& row : *stored) {
      const bool goes = std::binary_search(replacement.ids.begin(), replacement.ids.end(), row.id);
      if (!goes) after.push_back(Digest(row.event));
      if (goes && row.id == replacement.ids.back()) after.push_back(Digest(replacement.kept));
    }
    const absl::Status status = journal.Replace(replacement);
    if (status.ok()) {
      safe_ = std::move(after);
      pending_.clear();
      replaced_.clear();
    } else {
      ASSERT_TRUE(disk.out() || absl::IsUnavailable(status)) << status;
      replaced_ = std::move(after);
    }
  }

  fs::path directory_;
  uint64_t sequence_ = 0;
  std::vector<uint64_t> safe_;
  std::vector<uint64_t> pending_;   // Of the last Append, if it failed: all or nothing of it may be there.
  std::vector<uint64_t> replaced_;  // What would be there if the last Replace had not failed: it may be.
};

// `prepare` is called before each life.
void LiveThrough(uint64_t cuts, const std::function<void(PowerCutDisk&, std::mt19937_64&)>& prepare) {
  std::unique_ptr<CutStore> store;
  for (uint64_t seed = 0; seed < cuts; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    if (seed % kCutsAStore == 0) store = std::make_unique<CutStore>();
    PowerCutDisk disk;
    std::mt19937_64 random(seed);
    prepare(disk, random);
    store->LiveUntilCut(disk, random);
    if (testing::Test::HasFatalFailure()) return;
    disk.Restore(random());
  }
}

TEST(JournalPowerCutTest, KeepsWhatItAcknowledgedWheneverThePowerGoes) {
  LiveThrough(Cuts(), [](PowerCutDisk&, std::mt19937_64&) {});
}

TEST(JournalPowerCutTest, KeepsItOnADiskWhoseSyncFailedBeforeThat) {
  LiveThrough(Cuts(), [](PowerCutDisk& disk, std::mt19937_64& random) {
    const auto n = static_cast<int64_t>(1 + random() % 20);
    disk.FailSyncAt(n, random());
  });
}

}  // namespace
}  // namespace curvecast
