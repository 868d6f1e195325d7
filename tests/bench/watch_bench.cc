// What a point costs the watch, and what a watch holds. bin/watch_bench --benchmark_repetitions=5
// --benchmark_report_aggregates_only=true
#include <malloc.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "core/watch/watch.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

constexpr Step kTotal = 3'000'000;
constexpr Step kFrom = 60'500, kLearned = 160'500, kTo = 1'700'000;

// A run of its law and noise of 1 %, from kFrom on.
struct LongRun {
  Plan plan;
  std::vector<double> losses;  // From kFrom to kTo.

  explicit LongRun(const Plan& of) : plan(of) {
    const std::vector<double> law = testing::LawCourse(plan, testing::CoefficientsOf(plan, 0.3, 1));
    testing::NoiseCourse noise({.sd = 0.01}, 1);
    for (Step s = kFrom; s < kTo; ++s) losses.push_back(std::exp(law[static_cast<size_t>(s)] + noise.Next()));
  }
  double At(Step step) const { return losses[static_cast<size_t>(step - kFrom)]; }
};

const LongRun& RunOf(int64_t decays) {
  static const LongRun cosine(testing::Cosine(kTotal)), constant(testing::ConstantRate(kTotal)),
      none(testing::NoSchedule(kTotal));
  return decays == 0 ? constant : decays == 1 ? cosine : none;
}

// Points of the objective, its curve not counted. Arguments: the schedule (0 constant, 1 cosine, 2 none declared), and
// whether a flag is up.
void BM_Objective(benchmark::State& state) {
  const LongRun& run = RunOf(state.range(0));
  const double factor = state.range(1) != 0 ? 1.06 : 1;
  Watch watch(WatchOptions{}, Prior::Shipped(), WatchedRun{"loss", run.plan});
  Curve curve;
  Step step = kFrom;
  for (; step < kLearned; ++step) {
    curve.Add(step, run.At(step));
    watch.Add("loss", step, run.At(step), curve);
  }
  for (const Step until = step + 100; step < until; ++step) watch.Add("loss", step, factor * run.At(step), curve);
  watch.TakeChanges();
  const size_t up = watch.active().size();
  for (auto _ : state) {
    watch.Add("loss", step, factor * run.At(step), curve);
    ++step;
  }
  state.counters["flags_up"] = static_cast<double>(up);
  state.counters["changes"] = static_cast<double>(watch.TakeChanges().size());
}
BENCHMARK(BM_Objective)->ArgsProduct({{0, 1, 2}, {0, 1}})->Iterations(1'500'000);

void BM_GradNorm(benchmark::State& state) {
  Watch watch(WatchOptions{}, Prior::Shipped(), WatchedRun{"loss", testing::Cosine(kTotal)});
  testing::Dice dice(1);
  std::vector<double> norms(1 << 16);
  for (double& norm : norms) norm = 0.5 * std::exp(0.2 * dice.Normal());
  const Curve curve;
  Step step = 0;
  for (auto _ : state) {
    watch.Add("grad_norm", step, norms[static_cast<size_t>(step) % norms.size()], curve);
    ++step;
  }
}
BENCHMARK(BM_GradNorm)->Iterations(1'500'000);

// What a watch holds after a long run: of its objective alone, and with an evaluation, a rate and a norm beside it.
void BM_Memory(benchmark::State& state) {
  const LongRun& run = RunOf(1);
  const bool beside = state.range(0) != 0;
  size_t bytes = 0;
  for (auto _ : state) {
    Curve curve;
    for (Step s = kFrom; s < kLearned; ++s) curve.Add(s, run.At(s));
    const size_t before = mallinfo2().uordblks;
    auto watch = std::make_unique<Watch>(WatchOptions{}, Prior::Shipped(), WatchedRun{"loss", run.plan});
    for (Step s = kFrom; s < kLearned; ++s) {
      watch->Add("train/loss", s, run.At(s), curve);
      watch->Add("loss", s, run.At(s), curve);
      if (!beside) continue;
      watch->Add("eval/loss", s, run.At(s), curve);
      watch->Add("grad_norm", s, 1, curve);
      watch->Add("lr", s, 1e-3 * run.plan.schedule->RelativeRate(static_cast<double>(s)), curve);
    }
    watch->TakeChanges();
    bytes = mallinfo2().uordblks - before;
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Memory)->Arg(0)->Arg(1)->Iterations(1);

}  // namespace
}  // namespace curvecast
