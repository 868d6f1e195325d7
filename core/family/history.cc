#include "core/family/history.h"

#include <algorithm>
#include <tuple>

#include "core/base/stable_hash.h"

namespace curvecast {
namespace {

constexpr double kLabelsNearer = 2;  // How much nearer equal labels bring, as a squared distance.

struct Candidate {
  double distance;
  uint64_t hash;
  const Relative* relative;

  bool operator<(const Candidate& other) const {
    return std::tie(distance, hash, relative->descent.run_id) <
           std::tie(other.distance, other.hash, other.relative->descent.run_id);
  }
};

void Take(std::vector<Candidate> candidates, size_t most, std::vector<const Relative*>& chosen) {
  const size_t n = std::min(most, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(n), candidates.end());
  for (size_t i = 0; i < n; ++i) chosen.push_back(candidates[i].relative);
}

}  // namespace

void History::Add(Relative relative) {
  Remove(relative.descent.run_id);
  if (relatives_.size() >= kMaxRelatives) relatives_.erase(relatives_.begin());
  relatives_.push_back(std::move(relative));
}

void History::Remove(const std::string& run_id) {
  std::erase_if(relatives_, [&](const Relative& r) { return r.descent.run_id == run_id; });
}

std::optional<Belief> History::Lean(const Descent& descent, const Plan& plan, Step newest, const Prior& prior,
                                    const Choice& choice) const {
  if (relatives_.empty() || !plan.total_steps.has_value() || *plan.total_steps <= 0) return std::nullopt;
  const RunClock clock(plan, newest);
  const Traits traits = TraitsOf(plan, clock);
  const Kinship& kinship = prior.Of(clock.kind()).kinship;
  std::vector<Candidate> others, siblings;
  for (const Relative& r : relatives_) {
    if (r.kind != clock.kind() || r.descent.run_id == descent.run_id) continue;
    const uint64_t hash = StableHash(r.descent.run_id);
    if (r.descent.family == descent.family) {
      siblings.push_back({0, hash, &r});
    } else {
      const double labels = kLabelsNearer * LabelLikeness(descent, r.descent);
      others.push_back({Distance(traits, r.traits, kinship) - labels, hash, &r});
    }
  }
  std::vector<const Relative*> chosen;
  Take(std::move(others), choice.others, chosen);
  Take(std::move(siblings), choice.siblings, chosen);
  return LeanOn(chosen, descent, traits, kinship);
}

}  // namespace curvecast
