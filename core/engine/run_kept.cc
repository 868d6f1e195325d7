#include <algorithm>
#include <iterator>
#include <utility>

#include "core/engine/run.h"

namespace curvecast {

CurveKept Run::Keep() const {
  CurveKept kept;
  for (const auto& [name, writer] : writers_) {
    kept.writers.push_back({name, writer.incarnation, writer.last_sequence, writer.rewind_pending, writer.resume_step});
  }
  for (const auto& [metric, series] : series_) kept.series.push_back({metric, series.writer, series.curve});
  kept.branches.assign(branches_.begin(), branches_.end());
  kept.rewinds.assign(rewinds_.begin(), rewinds_.end());
  kept.rewind_count = rewind_count_;
  kept.state = state_;
  kept.reopened = reopened_;
  kept.last_point_at = last_point_at_;
  kept.ended_at = ended_at_;
  kept.phase = phase_;
  kept.phase_began_at = phase_began_at_;
  for (const Forecast& forecast : *history_) kept.forecast_steps.push_back(forecast.step);
  kept.shows_forecast = newest_stands_;
  return kept;
}

void Run::Apply(const CurveKept& kept) {
  ++version_;
  writers_.clear();
  for (const CurveKept::Writer& writer : kept.writers) {
    writers_[writer.name] = {writer.incarnation, writer.last_sequence, writer.rewind_pending, writer.resume_step};
  }
  series_.clear();
  for (const CurveKept::Series& series : kept.series) series_[series.metric] = {series.curve, series.writer};
  branches_.assign(kept.branches.begin(), kept.branches.end());
  rewinds_.assign(kept.rewinds.begin(), kept.rewinds.end());
  rewind_count_ = kept.rewind_count;
  state_ = kept.state;
  reopened_ = kept.reopened;
  last_point_at_ = kept.last_point_at;
  ended_at_ = kept.ended_at;
  phase_ = kept.phase;
  phase_began_at_ = kept.phase_began_at;
  watch_ = nullptr;  // It has not seen those points; the next ones begin another.
  RecallForecasts(kept);
}

// The forecasts came before their curve did, and what a rewind made void is not said a second time. It made void what
// was forecast at a step so far, so of those at one step the newest stand.
void Run::RecallForecasts(const CurveKept& kept) {
  std::vector<Forecast> made = *history_;
  made.insert(made.end(), unplaced_.begin(), unplaced_.end());
  unplaced_.clear();
  auto history = std::make_shared<std::vector<Forecast>>();
  for (auto step = kept.forecast_steps.rbegin(); step != kept.forecast_steps.rend(); ++step) {
    const auto newest = std::find_if(made.rbegin(), made.rend(), [&](const Forecast& f) { return f.step == *step; });
    if (newest == made.rend()) continue;
    history->push_back(std::move(*newest));
    made.erase(std::prev(newest.base()));
  }
  std::reverse(history->begin(), history->end());
  history->shrink_to_fit();
  newest_stands_ = kept.shows_forecast && !history->empty();
  forecast_ = newest_stands_ ? std::make_shared<const Forecast>(history->back()) : nullptr;
  history_ = std::move(history);
}

}  // namespace curvecast
