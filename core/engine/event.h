#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/run_key.h"
#include "core/base/step.h"
#include "core/curve/curve.h"
#include "core/engine/flag_book.h"
#include "core/engine/run_spec.h"
#include "core/law/forecast.h"

namespace curvecast {

enum class RunState { kRunning, kCompleted, kFailed, kStopped };

// Some points of one metric; step and value have one length.
struct Column {
  std::string metric;
  std::vector<Step> steps;
  std::vector<double> values;
};

// A writer declares a run, or declares it again.
struct RunOpened {
  RunSpec spec;
  std::string writer;
  uint64_t incarnation = 1;
  std::optional<Step> resume_step;
};

// What a job does for a while without a point, such as an evaluation.
struct Phase {
  std::string name;
  double max_seconds = 0;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(name, max_seconds);
  }

  friend bool operator==(const Phase&, const Phase&) = default;
};

struct BatchAppended {
  std::string writer;
  uint64_t incarnation = 1;
  uint64_t sequence = 1;
  std::vector<Column> columns;
  std::optional<RunState> end;
  std::optional<Phase> phase = {};  // Begins after the points.
};

struct ForecastMade {
  Forecast forecast;  // The journal keeps it without its path.
};

// What a rewind took off the objective's curve.
struct Branch {
  Step rewound_to = 0;
  std::vector<Bin> bins;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(rewound_to, bins);
  }
};

// In a compacted journal: what a run's batches up to here have made of it, in their place. Folded, the run is the same
// as after them, to the bit; what is gone is the points one by one. It stands where the last of them stood.
struct CurveKept {
  struct Writer {
    std::string name;
    uint64_t incarnation = 0;
    uint64_t last_sequence = 0;
    bool rewind_pending = false;
    std::optional<Step> resume_step;
  };
  struct Series {
    std::string metric;
    std::string writer;  // Of its newest point.
    Curve curve;
  };
  // Rows of the journal, by id.
  struct Rows {
    int64_t first = 0;
    int64_t last = 0;

    friend bool operator==(const Rows&, const Rows&) = default;
  };

  std::vector<Writer> writers;  // By name.
  std::vector<Series> series;   // By metric.
  std::vector<Branch> branches;
  std::vector<Step> rewinds;
  int64_t rewind_count = 0;
  RunState state = RunState::kRunning;
  bool reopened = false;
  int64_t last_point_at = 0;
  int64_t ended_at = 0;
  std::optional<Phase> phase = {};
  int64_t phase_began_at = 0;
  // Of the forecasts made so far those that no rewind has made void, in order, by their steps: at each the newest ones.
  std::vector<Step> forecast_steps;
  bool shows_forecast = false;  // The newest of them.
  bool settles = false;         // The last batch took the run into its project's past, or out.
  int64_t batches = 0;          // In whose place this stands ...
  int64_t points = 0;           // ... and the points that they held.
  // The rows that it stands for and that are gone: the journal knows by it that they are not lost. In order.
  std::vector<Rows> replaced;
};

// The run is over and is let go of, to make room: what it taught its project stays. If its job comes back, it is a new
// run of that name.
struct RunEvicted {
  int64_t ended_at = 0;
};

// Everything that ever changes the state, and all of it: the state is the fold of Engine::Apply over these, in order.
struct Event {
  int64_t time_unix_micros = 0;
  RunKey key;
  std::variant<RunOpened, BatchAppended, ForecastMade, FlagChanged, FlagHandled, CurveKept, RunEvicted> body;
};

}  // namespace curvecast
