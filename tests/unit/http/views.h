#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/board.h"
#include "core/ports/clock.h"

namespace curvecast::testing {

class FixedClock final : public Clock {
 public:
  int64_t NowUnixMicros() override { return 1'000'000'000; }
  int64_t MonotonicMicros() override { return 0; }
};

inline std::shared_ptr<RunView> View(const std::string& run_id, double value = 2.5) {
  RunSpec spec;
  spec.key = {"p", run_id};
  spec.total_steps = 100;
  Normalize(spec);
  auto view = std::make_shared<RunView>();
  view->spec = std::make_shared<const RunSpec>(spec);
  view->history = std::make_shared<const std::vector<Forecast>>();
  view->step = 50;
  view->value = value;
  view->progress = 0.5;
  view->last_point_at_unix_micros = 900'000'000;
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = 50;
  forecast.progress = 0.5;
  forecast.quantiles = {1.0, 1.25, 1.5, 1.75, 2.0};
  forecast.expected_value = 2.25;
  view->forecast = std::make_shared<const Forecast>(forecast);
  return view;
}

// Active since the step 40, with a number.
inline BookedFlag FlagOf(int64_t number, FlagKind kind, Severity severity) {
  BookedFlag booked;
  booked.number = number;
  booked.flag.kind = kind;
  booked.flag.severity = severity;
  booked.flag.metric = "train/loss";
  booked.flag.began_step = booked.flag.raised_step = booked.flag.updated_step = 40;
  booked.raised_at = booked.updated_at = 800'000'000;
  return booked;
}

inline std::shared_ptr<RunView> FlaggedView(const std::string& run_id, std::vector<BookedFlag> flags) {
  auto view = View(run_id);
  view->flags = std::make_shared<const std::vector<BookedFlag>>(std::move(flags));
  return view;
}

inline std::shared_ptr<const Board> BoardOf(std::vector<std::shared_ptr<const RunView>> runs) {
  auto board = std::make_shared<Board>();
  board->runs = std::move(runs);
  return board;
}

}  // namespace curvecast::testing
