#include "daemon/loop/fit_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace curvecast {

void FitPlanner::Done(const RunKey& key) {
  State& state = states_[key];
  if (std::exchange(state.in_flight, false)) --in_flight_;
  if (std::exchange(state.leaning, false)) --leaning_;
}

std::shared_ptr<const ProjectPast> FitPlanner::PastOf(const Run& run) const {
  if (run.finished()) return nullptr;
  auto at = pasts_.find(PastKeyOf(run.spec()));
  return at == pasts_.end() ? nullptr : at->second;
}

void FitPlanner::Forget(const RunKey& key) {
  auto at = states_.find(key);
  if (at == states_.end()) return;
  // One that is in flight is counted until it is done.
  if (at->second.in_flight) {
    at->second.news = at->second.stale = false;
  } else {
    states_.erase(at);
  }
}

bool FitPlanner::IsDue(const State& state, const Run& run, int64_t monotonic_micros) const {
  if (state.fitted_progress < 0 || run.state() != RunState::kRunning) return true;
  return std::abs(run.Progress() - state.fitted_progress) >= options_.refit_progress ||
         monotonic_micros - state.fitted_at >= options_.refit_interval_micros;
}

bool FitPlanner::MayLean(const State& state, int64_t monotonic_micros) const {
  return leaning_ < kMaxLeaning &&
         (!state.leaned_at || monotonic_micros - *state.leaned_at >= options_.lean_interval_micros);
}

void FitPlanner::RenewPasts(const Engine& engine, int64_t monotonic_micros) {
  if (changed_.empty()) return;
  if (renewed_at_ && monotonic_micros - *renewed_at_ < options_.renew_interval_micros) return;
  absl::flat_hash_set<std::string> projects;
  for (const PastKey& key : changed_) {
    pasts_[key] = engine.Past(key);
    projects.insert(key.first);
  }
  // One of another objective than what changed finds that it leans on what it did.
  for (auto& [key, state] : states_) state.stale |= projects.contains(key.project);
  changed_.clear();
  renewed_at_ = monotonic_micros;
}

size_t FitPlanner::OrderDue(const Engine& engine, int64_t monotonic_micros) {
  RenewPasts(engine, monotonic_micros);
  std::vector<Candidate> due, stale;
  size_t left = 0;
  for (auto& [key, state] : states_) {
    if (!state.news && (!state.stale || state.in_flight || !MayLean(state, monotonic_micros))) continue;
    const Run* run = engine.Find(key);
    if (run == nullptr) continue;
    const double gain = std::abs(run->Progress() - state.fitted_progress);
    if (!state.news) {
      if (run->state() == RunState::kRunning && PastOf(*run) != nullptr) {
        stale.push_back({gain, &key, run, &state});
      } else {
        state.stale = false;  // It leans anew once it has news.
      }
    } else if (state.in_flight || !IsDue(state, *run, monotonic_micros)) {
      ++left;
    } else {
      due.push_back({gain, &key, run, &state});
    }
  }
  std::sort(due.begin(), due.end(), [](const Candidate& a, const Candidate& b) {
    return a.gain != b.gain ? a.gain > b.gain : *a.key < *b.key;
  });
  for (size_t i = 0; i < due.size(); ++i) {
    if (!Submit(due[i], monotonic_micros)) return left + due.size() - i;
  }
  // Those that wait longest first.
  std::sort(stale.begin(), stale.end(), [](const Candidate& a, const Candidate& b) {
    return a.state->leaned_at != b.state->leaned_at ? a.state->leaned_at < b.state->leaned_at : *a.key < *b.key;
  });
  for (const Candidate& next : stale) {
    if (leaning_ >= kMaxLeaning || !Submit(next, monotonic_micros)) break;
  }
  return left;
}

// False if the pool is full.
bool FitPlanner::Submit(const Candidate& next, int64_t monotonic_micros) {
  State& state = *next.state;
  std::shared_ptr<const ProjectPast> past = PastOf(*next.run);
  const bool leans = past != nullptr && (!state.leaned_at || (state.stale && MayLean(state, monotonic_micros)));
  if (!pool_.Submit({next.run->shared_spec(), next.run->objective(), next.run->LoggedRates(), next.run->rewind_count(),
                     std::move(past), leans})) {
    return false;
  }
  state.news = false;
  state.in_flight = true;
  ++in_flight_;
  state.fitted_progress = next.run->Progress();
  state.fitted_at = monotonic_micros;
  if (!leans) return true;
  state.stale = false;
  state.leaned_at = monotonic_micros;
  state.leaning = true;
  ++leaning_;
  return true;
}

}  // namespace curvecast
