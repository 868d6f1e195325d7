#pragma once

#include <string>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/law.h"
#include "core/law/prior.h"

namespace curvecast {

// A run that reached its end.
struct FinishedRun {
  std::string family;
  Curve curve;
  Plan plan;
};

// Runs of one origin: one laboratory's code, data and habits.
struct Source {
  std::string name;
  std::vector<FinishedRun> runs;
};

// Learns the archetypes, one for each source that has at least kFewestRuns runs of a kind, one more, "any", that
// is the spread of them all, and "free", several times as wide, for what is like none of them. Expectation maximisation
// per node: each finished run is a Gaussian over (c2, c3), a source is the Gaussian of its runs, families weigh alike,
// and `stray` is what the node's law leaves over. Kind kUnknown is learned from all runs with their schedules hidden.
// Interval factors stay 1: LearnWiden sets them. Deterministic.
inline constexpr int kFewestRuns = 3;
Prior TrainPrior(const std::vector<Source>& sources);

// One forecast of a run whose source the prior had not seen, as it stood at some progress, and what came.
struct Outcome {
  std::string source;
  RateKind kind;
  double progress;
  Forecast forecast;
  double actual;
};

// Sets the interval factors, from forecasts made with all factors at 1, so that the 90 % interval holds 90 % of the
// outcomes near each progress, sources weighing alike (one of few outcomes less). A kind of fewer than three sources
// takes the factors of kUnknown.
void LearnWiden(const std::vector<Outcome>& outcomes, Prior& prior);

}  // namespace curvecast
