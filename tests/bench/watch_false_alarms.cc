// How often a healthy run is flagged: runs that are their law under a cosine but for their noise, watched as in a
// replay. bin/watch_false_alarms --points 1e9 --run 1e6 [--threads 2] [--mean-points 1e6]
//
// Points and flags are per noise; INFO is counted apart. "declared" is what was asked of the watch as a whole.
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "core/watch/watch.h"
#include "fmt/format.h"
#include "tests/unit/watch/law_course.h"

namespace curvecast {
namespace {

struct Asked {
  double points = 2e7, run = 1e6, mean_points = 1e6;
  int threads = 1;
};

struct NamedNoise {
  std::string_view name;
  testing::NoiseLaw law;
};
constexpr std::array<NamedNoise, 8> kNoises = {{{"white .3 %", {.sd = 0.003}},
                                                {"white 3 %", {.sd = 0.03}},
                                                {"AR(1) .3, .3 %", {.sd = 0.003, .correlation = 0.3}},
                                                {"AR(1) .3, 3 %", {.sd = 0.03, .correlation = 0.3}},
                                                {"AR(1) .5, .3 %", {.sd = 0.003, .correlation = 0.5}},
                                                {"AR(1) .5, 3 %", {.sd = 0.03, .correlation = 0.5}},
                                                {"t5 .3 %", {.sd = 0.003, .freedom = 5}},
                                                {"t5 3 %", {.sd = 0.03, .freedom = 5}}}};

struct Tally {
  double points = 0;
  int64_t first_tenth = 0;  // Of the flags at WARNING or above: raised in the first tenth of its run.
  std::array<int64_t, kFlagKinds + 1> flags = {}, hints = {};
};

// One run of `points`; each draws coefficients of its own from a few.
Tally Watched(const Plan& plan, const std::vector<double>& law, const testing::NoiseLaw& noise_law, double mean_points,
              uint64_t seed) {
  WatchOptions options;
  options.mean_points_between_false_alarms = mean_points;
  Watch watch(options, Prior::Shipped(), WatchedRun{"loss", plan});
  testing::NoiseCourse noise(noise_law, seed);
  Curve curve;
  Tally tally;
  for (Step s = 1; s <= *plan.total_steps; ++s) {
    const double loss = std::exp(law[static_cast<size_t>(s)] + noise.Next());
    curve.Add(s, loss);
    watch.Add("loss", s, loss, curve);
  }
  for (const FlagChange& change : watch.TakeChanges()) {
    if (change.what != FlagChange::What::kRaised) continue;
    const bool hint = change.flag.severity == Severity::kInfo;
    ++(hint ? tally.hints : tally.flags)[static_cast<size_t>(change.flag.kind)];
    tally.first_tenth += !hint && change.flag.raised_step <= *plan.total_steps / 10;
  }
  tally.points = static_cast<double>(*plan.total_steps);
  return tally;
}

void Print(const NamedNoise& noise, const Tally& tally, double declared) {
  int64_t flags = 0;
  std::string kinds, hints;
  for (int k = 1; k <= kFlagKinds; ++k) {
    const auto at = static_cast<size_t>(k);
    flags += tally.flags[at];
    if (tally.flags[at] > 0) kinds += fmt::format(" {} {}", NameOf(static_cast<FlagKind>(k)), tally.flags[at]);
    if (tally.hints[at] > 0) hints += fmt::format(" {} {}", NameOf(static_cast<FlagKind>(k)), tally.hints[at]);
  }
  const double between = tally.points / static_cast<double>(std::max<int64_t>(flags, 1));
  fmt::print("{:15} {:8.3g} points {:5} flags ({} early)  one in {}{:.3g}, declared {:.3g}  {} |{} | INFO{}\n",
             noise.name, tally.points, flags, tally.first_tenth, flags > 0 ? "" : "more than ", between, declared,
             between >= declared ? "kept" : "EXCEEDED", kinds, hints);
  std::fflush(stdout);
}

void Run(const Asked& asked) {
  const Plan plan = testing::Cosine(static_cast<Step>(asked.run));
  constexpr uint64_t kLaws = 4;
  std::vector<std::vector<double>> laws;
  for (uint64_t i = 1; i <= kLaws; ++i) laws.push_back(testing::LawCourse(plan, testing::CoefficientsOf(plan, 0.5, i)));
  for (const NamedNoise& noise : kNoises) {
    const auto runs = static_cast<uint64_t>(std::ceil(asked.points / asked.run));
    std::atomic<uint64_t> next = 0;
    std::mutex mutex;
    Tally sum;
    const auto work = [&] {
      for (uint64_t seed = next++; seed < runs; seed = next++) {
        const Tally one = Watched(plan, laws[seed % kLaws], noise.law, asked.mean_points, 1000 + seed);
        const std::lock_guard lock(mutex);
        sum.points += one.points;
        sum.first_tenth += one.first_tenth;
        for (size_t k = 0; k < one.flags.size(); ++k) {
          sum.flags[k] += one.flags[k];
          sum.hints[k] += one.hints[k];
        }
      }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < asked.threads; ++t) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    Print(noise, sum, asked.mean_points);
  }
}

}  // namespace
}  // namespace curvecast

int main(int argc, char** argv) {
  curvecast::Asked asked;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (name == "--points") asked.points = value;
    if (name == "--run") asked.run = value;
    if (name == "--mean-points") asked.mean_points = value;
    if (name == "--threads") asked.threads = static_cast<int>(value);
  }
  if (argc % 2 == 0 || !(asked.run >= 1000 && asked.points >= asked.run && asked.mean_points > 0)) {
    std::fprintf(stderr, "usage: %s --points N --run N [--threads N] [--mean-points N]\n", argv[0]);
    return 2;
  }
  curvecast::Run(asked);
}
