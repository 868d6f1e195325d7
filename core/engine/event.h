#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/run_key.h"
#include "core/base/step.h"
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

// Everything that ever changes the state, and all of it: the state is the fold of Engine::Apply over these, in order.
struct Event {
  int64_t time_unix_micros = 0;
  RunKey key;
  std::variant<RunOpened, BatchAppended, ForecastMade, FlagChanged, FlagHandled> body;
};

}  // namespace curvecast
