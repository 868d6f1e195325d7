#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "core/engine/leaning.h"
#include "core/law/run_clock.h"
#include "core/law/traits.h"

namespace curvecast {

// What runs lean on, kept between refits: making it costs as much as 20 refits. Any thread. It holds no past, and
// about 3 KB a run.
class LeaningCache {
 public:
  static constexpr size_t kMaxRuns =
      16384;  // The one that came first goes; a run that is left out leans anew each time.
  // A run's traits may move that far before it leans anew. They move only while its schedule is inferred.
  static constexpr double kSameTraits = 0.01;

  struct Asked {
    std::shared_ptr<const RunSpec> spec;
    const Plan* plan = nullptr;
    Step newest = 0;
    std::shared_ptr<const ProjectPast> past;  // Null: nothing.
    bool renew = true;                        // False: what was made of an earlier past will do.
  };

  explicit LeaningCache(const Prior& prior) : prior_(prior) {}

  std::shared_ptr<const Leaning> Get(const Asked& asked);

 private:
  struct Entry {
    std::shared_ptr<const RunSpec> spec;
    RateKind kind = RateKind::kUnknown;
    Traits traits;
    uint64_t version = 0;  // Of the past.
    std::shared_ptr<const Leaning> leaning;
  };
  void Keep(Entry entry);

  const Prior& prior_;
  std::mutex mutex_;
  absl::flat_hash_map<RunKey, Entry> entries_;
  std::deque<RunKey> order_;  // In which they came.
};

}  // namespace curvecast
