// What a point, a refit and leaning on finished runs cost. bin/law_bench --benchmark_repetitions=5
// --benchmark_report_aggregates_only=true
#include <cmath>
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "core/engine/leaning.h"
#include "core/law/law.h"

namespace curvecast {
namespace {

constexpr Step kTotal = 100'000;

double Loss(Step step, double level = 1) {
  return level * 2 + 8 / std::sqrt(static_cast<double>(step) + 1) + 0.02 * std::sin(static_cast<double>(step));
}

Plan PlanOf(Decay decay) {
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
  const Plan plan = PlanOf(static_cast<Decay>(state.range(0)));
  Curve curve;
  for (Step s = 0; s < kTotal / 2; ++s) curve.Add(s, Loss(s));
  for (auto _ : state) benchmark::DoNotOptimize(ForecastEnd(curve, plan, Prior::Shipped()));
}
BENCHMARK(BM_Refit)->Arg(static_cast<int>(Decay::kNone))->Arg(static_cast<int>(Decay::kCosine));

// A project of finished runs, a fourth of them of the family of the run that leans.
RunSpec SpecOf(int run) {
  RunSpec spec;
  spec.key = {"p", "r" + std::to_string(run)};
  spec.family = "f" + std::to_string(run % 4);
  spec.total_steps = kTotal;
  spec.parameters = 1e8 * (1 + run % 4);
  spec.tokens_per_step = 5e5;
  return spec;
}

Plan SizedPlan(int run) {
  Plan plan = PlanOf(Decay::kCosine);
  plan.parameters = SpecOf(run).parameters;
  plan.tokens_per_step = SpecOf(run).tokens_per_step;
  return plan;
}

Curve CurveOf(int run, Step newest) {
  Curve curve;
  for (Step s = 0; s <= newest; s += 10) curve.Add(s, Loss(s, 1 + 0.01 * (run % 7)));
  return curve;
}

ProjectPast PastOf(int runs) {
  ProjectPast past;
  for (int run = 1; run <= runs; ++run) {
    past.history.Add(*MakeRelative(DescentOf(SpecOf(run)), CurveOf(run, kTotal), SizedPlan(run), Prior::Shipped()));
  }
  return past;
}

void BM_MakeRelative(benchmark::State& state) {
  const Curve curve = CurveOf(1, kTotal);
  const Plan plan = SizedPlan(1);
  const Descent descent = DescentOf(SpecOf(1));
  for (auto _ : state) benchmark::DoNotOptimize(MakeRelative(descent, curve, plan, Prior::Shipped()));
}
BENCHMARK(BM_MakeRelative);

// With this many finished runs; a run leans on 128 of them at most.
void BM_Lean(benchmark::State& state) {
  const ProjectPast past = PastOf(static_cast<int>(state.range(0)));
  const Plan plan = SizedPlan(0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(LeanOnPast(&past, SpecOf(0), plan, kTotal / 2, Prior::Shipped()));
  }
}
BENCHMARK(BM_Lean)->Arg(3)->Arg(74)->Arg(128)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_RefitLeaning(benchmark::State& state) {
  const ProjectPast past = PastOf(128);
  const Plan plan = SizedPlan(0);
  const Leaning leaning = LeanOnPast(&past, SpecOf(0), plan, kTotal / 2, Prior::Shipped());
  const Curve curve = CurveOf(0, kTotal / 2);
  for (auto _ : state) benchmark::DoNotOptimize(MakeForecast(curve, plan, Prior::Shipped(), leaning));
}
BENCHMARK(BM_RefitLeaning);

// What the engine's thread does for a changed project, once a second at most.
void BM_CopyHistory(benchmark::State& state) {
  const ProjectPast past = PastOf(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(std::make_shared<ProjectPast>(past));
}
BENCHMARK(BM_CopyHistory)->Arg(1000)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace curvecast
