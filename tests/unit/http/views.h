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

inline std::shared_ptr<const Board> BoardOf(std::vector<std::shared_ptr<const RunView>> runs) {
  auto board = std::make_shared<Board>();
  board->runs = std::move(runs);
  return board;
}

}  // namespace curvecast::testing
