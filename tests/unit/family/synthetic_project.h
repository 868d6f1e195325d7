#pragma once

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/family/history.h"
#include "tests/unit/law/synthetic.h"

namespace curvecast::testing {

// A project whose runs are the law at coefficients that vary smoothly with learning rate and size, and a little from
// run to run. Families differ in what their data give, by as much as a change of the rate does.
struct SyntheticProject {
  unsigned seed = 1;
  double own = 0.004;  // Standard deviation of a run's log final loss about what its plan and family say.
  double scale = 1;

  LawRun Run(int family, int index) const {
    std::mt19937 random(seed * 1'000'003 + static_cast<unsigned>(family) * 1009 + static_cast<unsigned>(index));
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> flat(-1, 1);
    const double rate = flat(random), size = flat(random);  // Both of log, about their middle.
    const double of_family = 0.03 * std::sin(2.3 * family + seed);
    LawRun run;
    run.plan = CosinePlan(2000);
    ScheduleSpec spec;
    spec.peak_lr = 1e-3 * std::exp(rate);
    spec.warmup_steps = 100;
    spec.decay = Decay::kCosine;
    run.plan.schedule = *LrSchedule::Create(spec, 2000);
    run.plan.parameters = 1e8 * std::exp(size);
    run.plan.tokens_per_step = 5e5;
    run.at(0) = 1.1 - 0.07 * size + 0.03 * rate * rate + of_family + own * normal(random);
    run.at(1) = 0.10 + of_family + 0.02 * size;
    run.at(2) = 0.06 + 0.01 * rate;
    run.at(5) = 0.05 + 0.02 * rate + 0.005 * normal(random);
    run.at(7) = 0.06 + of_family;
    run.noise = 0.004;
    run.scale = scale;
    return run;
  }

  static Descent DescentOf(int family, int index) {
    return {"r" + std::to_string(family) + "_" + std::to_string(index), "f" + std::to_string(family), {}};
  }

  Relative Finished(int family, int index) const {
    const LawRun run = Run(family, index);
    return *MakeRelative(DescentOf(family, index), run.Until(1, SeedOf(family, index)), run.plan, Prior::Shipped());
  }

  static unsigned SeedOf(int family, int index) { return static_cast<unsigned>(family * 1000 + index); }
};

}  // namespace curvecast::testing
