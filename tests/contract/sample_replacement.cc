#include "tests/contract/sample_replacement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace curvecast {

int64_t EndOf(const RunKey& key, CompactableJournal& journal) {
  const std::unique_ptr<Engine> engine(new Engine(Engine::Unwatched(Prior::Shipped())));
  const absl::Status status = journal.Replay([&](const Event& event) { return engine->Apply(event).status(); });
  EXPECT_TRUE(status.ok()) << status;
  const Run* run = engine->Find(key);
  return run == nullptr ? 0 : run->ended_at();
}

Replacement ReplacementOf(const RunKey& key, CompactableJournal& journal) {
  RunCompactor compactor(Prior::Shipped(), EndOf(key, journal), {.max_rows = 1 << 20, .max_bytes = 1 << 30});
  std::optional<Replacement> made;
  const auto take = [&made](absl::StatusOr<std::optional<Replacement>> next) {
    EXPECT_TRUE(next.ok()) << next.status();
    if (next.ok() && next->has_value()) made = **next;
  };
  const auto events = journal.Read(1, 1 << 30);
  EXPECT_TRUE(events.ok()) << events.status();
  for (const StoredEvent& stored : *events) {
    if (stored.event.key == key) take(compactor.Take(stored));
  }
  take(compactor.Finish());
  EXPECT_TRUE(made.has_value());
  return made.value_or(Replacement{});
}

std::vector<Event> Compacted(const std::vector<Event>& events, const Replacement& replacement) {
  std::vector<Event> compacted;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto id = static_cast<int64_t>(i) + 1;
    const bool goes = std::binary_search(replacement.ids.begin(), replacement.ids.end(), id);
    if (!goes) compacted.push_back(events[i]);
    if (goes && id == replacement.ids.back()) compacted.push_back(replacement.kept);
  }
  return compacted;
}

}  // namespace curvecast
