#pragma once

#include <cstdint>
#include <string>

#include "core/engine/board.h"
#include "core/ports/clock.h"
#include "daemon/loop/board_holder.h"

namespace curvecast {

// The runs on /metrics: made from the board at every scrape, so that a run that is gone leaves no series behind and a
// scrape touches no run. Labels: project, run, family. A silence that has run out shows at the next scrape.
class BoardCollector {
 public:
  struct Options {
    int64_t max_exported_runs = 10000;  // The most recently active are shown; the rest are counted.
    int64_t exported_after_end_micros = 900'000'000;
  };

  BoardCollector(Options options, const BoardHolder& boards, Clock& clock)
      : options_(options), boards_(boards), clock_(clock) {}

  std::string Text() const;  // In Prometheus's format.

 private:
  const Options options_;
  const BoardHolder& boards_;
  Clock& clock_;
};

}  // namespace curvecast
