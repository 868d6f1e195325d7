#include "daemon/loop/leaning_cache.h"

#include <cmath>
#include <utility>

namespace curvecast {
namespace {

bool Near(const Traits& a, const Traits& b) {
  if (a.known != b.known) return false;
  for (size_t i = 0; i < kTraits; ++i) {
    if (a.known.test(i) && !(std::fabs(a.values[i] - b.values[i]) <= LeaningCache::kSameTraits)) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<const Leaning> LeaningCache::Get(const Asked& asked) {
  const auto make = [&] {
    return std::make_shared<const Leaning>(
        LeanOnPast(asked.past.get(), *asked.spec, *asked.plan, asked.newest, prior_));
  };
  if (asked.past == nullptr || !asked.plan->total_steps || *asked.plan->total_steps <= 0) return make();
  const RunClock clock(*asked.plan, asked.newest);
  Entry entry{asked.spec, clock.kind(), TraitsOf(*asked.plan, clock), asked.past->version, nullptr};
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(asked.spec->key);
    if (at != entries_.end()) {
      const Entry& kept = at->second;
      const bool same_past = kept.version == entry.version || !asked.renew;
      // The spec is another object whenever the run was declared anew.
      if (same_past && kept.spec == entry.spec && kept.kind == entry.kind && Near(kept.traits, entry.traits)) {
        return kept.leaning;
      }
    }
  }
  entry.leaning = make();
  std::shared_ptr<const Leaning> leaning = entry.leaning;
  Keep(std::move(entry));
  return leaning;
}

void LeaningCache::Keep(Entry entry) {
  std::lock_guard lock(mutex_);
  const RunKey key = entry.spec->key;
  if (!entries_.contains(key)) {
    if (entries_.size() == kMaxRuns) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
  }
  entries_[key] = std::move(entry);
}

}  // namespace curvecast
