#include "daemon/loop/fit_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace curvecast {

bool FitPlanner::IsDue(const State& state, const Run& run, int64_t monotonic_micros) const {
  if (state.fitted_progress < 0 || run.state() != RunState::kRunning) return true;
  return std::abs(run.Progress() - state.fitted_progress) >= options_.refit_progress ||
         monotonic_micros - state.fitted_at >= options_.refit_interval_micros;
}

size_t FitPlanner::OrderDue(const Engine& engine, int64_t monotonic_micros) {
  struct Candidate {
    double gain;
    const RunKey* key;
    const Run* run;
    State* state;
  };
  std::vector<Candidate> due;
  size_t left = 0;
  for (auto& [key, state] : states_) {
    if (!state.news) continue;
    const Run* run = engine.Find(key);
    if (run == nullptr) continue;
    if (state.in_flight || !IsDue(state, *run, monotonic_micros)) {
      ++left;
      continue;
    }
    due.push_back({std::abs(run->Progress() - state.fitted_progress), &key, run, &state});
  }
  std::sort(due.begin(), due.end(), [](const Candidate& a, const Candidate& b) {
    return a.gain != b.gain ? a.gain > b.gain : *a.key < *b.key;
  });
  for (size_t i = 0; i < due.size(); ++i) {
    const Candidate& next = due[i];
    if (!pool_.Submit(
            {next.run->shared_spec(), next.run->objective(), next.run->LoggedRates(), next.run->rewind_count()})) {
      return left + due.size() - i;
    }
    next.state->news = false;
    next.state->in_flight = true;
    next.state->fitted_progress = next.run->Progress();
    next.state->fitted_at = monotonic_micros;
  }
  return left;
}

}  // namespace curvecast
