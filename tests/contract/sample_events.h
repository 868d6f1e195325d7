#pragma once

#include <vector>

#include "core/base/run_key.h"
#include "core/engine/event.h"

// Events for tests of journals: valid as Admission lets them through, and using every field.
namespace curvecast {

// A few of every kind, with the values that get lost most easily: NaN, infinities, the ends of integers, empty columns.
std::vector<Event> EventsOfEveryKind();

// A batch of one metric: `points` steps from `first_step` on.
Event BatchOf(uint64_t sequence, Step first_step, size_t points);

// A run that is over, of `batches` batches of 200 points, with forecasts, a flag and another run's events between.
std::vector<Event> FinishedRun(size_t batches);
RunKey FinishedRunKey();

}  // namespace curvecast
