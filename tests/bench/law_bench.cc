// What a point and a refit cost. bin/law_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <cmath>

#include "benchmark/benchmark.h"
#include "core/law/law.h"

namespace curvecast {
namespace {

constexpr Step kTotal = 100'000;

double Loss(Step step) {
  return 2 + 8 / std::sqrt(static_cast<double>(step) + 1) + 0.02 * std::sin(static_cast<double>(step));
}

Plan MakePlan(Decay decay) {
  ScheduleSpec spec;
  spec.peak_lr = 1e-3;
  spec.warmup_steps = 1000;
  spec.decay = decay;
  Plan plan;
  plan.total_steps = kTotal;
  plan.schedule = *LrSchedule::Create(spec, kTotal);
  return plan;
}

void BM_AddPoint(benchmark::State& state) {
  Curve curve;
  Step step = 0;
  for (auto _ : state) {
    curve.Add(step, 2.5);
    ++step;
  }
}
BENCHMARK(BM_AddPoint);

void BM_Refit(benchmark::State& state) {
  const Plan plan = MakePlan(static_cast<Decay>(state.range(0)));
  Curve curve;
  for (Step s = 0; s < kTotal / 2; ++s) curve.Add(s, Loss(s));
  for (auto _ : state) benchmark::DoNotOptimize(ForecastEnd(curve, plan, Prior::Shipped()));
}
BENCHMARK(BM_Refit)->Arg(static_cast<int>(Decay::kNone))->Arg(static_cast<int>(Decay::kCosine));

}  // namespace
}  // namespace curvecast
