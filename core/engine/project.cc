#include "core/engine/project.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/engine/run_plan.h"
#include "core/law/archetype_train.h"

namespace curvecast {
namespace {

constexpr double kTail = 0.99;  // Past this progress the values are the run's end.

IntervalFactors Everywhere(double factor) {
  IntervalFactors factors;
  factors.fill(factor);
  return factors;
}

// Of the newest runs alone: twice as many as a bucket keeps, since not every run was forecast in each.
void AddMisses(const std::deque<RunMisses>& runs, std::array<ProjectMisses, kSupports>& misses) {
  constexpr size_t kNewest = 2 * ProjectMisses::kMost;
  for (size_t i = runs.size() > kNewest ? runs.size() - kNewest : 0; i < runs.size(); ++i) {
    for (const std::optional<RunMisses::Miss>& m : runs[i].by_bucket) {
      if (m) misses[static_cast<size_t>(m->support)].Add(m->progress, m->miss, Everywhere(m->factor));
    }
  }
}

}  // namespace

PastKey PastKeyOf(const RunSpec& spec) { return {spec.key.project, spec.objective}; }

RunMisses MissesOf(const std::string& run_id, const std::vector<Forecast>& made, double end_value) {
  RunMisses misses{run_id, {}};
  if (!(end_value > 0)) return misses;
  for (const Forecast& forecast : made) {
    if (!forecast.answered() || forecast.progress >= kFinished || !(forecast.leaned.factor > 0)) continue;
    if (!(forecast.quantiles[0] > 0)) continue;
    const size_t bucket = BucketOf(forecast.progress);
    std::optional<RunMisses::Miss>& best = misses.by_bucket[bucket];
    const auto off = [bucket](double progress) { return std::fabs(progress - kFactorProgress[bucket]); };
    if (best && off(best->progress) <= off(forecast.progress)) continue;
    const Support support = forecast.leaned.relatives > 0 ? Support::kKin : Support::kNone;
    best = {support, forecast.progress, Miss(forecast, end_value), forecast.leaned.factor};
  }
  return misses;
}

double EndValue(const Curve& curve, Step total_steps) {
  const double from = kTail * static_cast<double>(std::max(total_steps, curve.last_step()));
  double sum = 0, count = 0;
  for (auto bin = curve.bins().rbegin(); bin != curve.bins().rend() && bin->mean_step > from; ++bin) {
    sum += bin->mean * static_cast<double>(bin->count);
    count += static_cast<double>(bin->count);
  }
  return count > 0 ? sum / count : curve.bins().back().mean;
}

bool Project::Settle(const Run& run, const Prior& prior) {
  const RunSpec& spec = run.spec();
  const std::string& run_id = spec.key.run_id;
  if (!run.finished()) return Forget(run_id);
  const RunPlan planned = PlanRun(spec, run.objective().last_step(), run.LoggedRates());
  std::optional<Relative> relative = MakeRelative(DescentOf(spec), run.objective(), planned.plan, prior);
  if (!relative) return Forget(run_id);
  Forget(run_id);
  if (history_.relatives().size() == History::kMaxRelatives) misses_.pop_front();  // The history does likewise.
  history_.Add(*std::move(relative));
  misses_.push_back(MissesOf(run_id, run.history(), EndValue(run.objective(), *spec.total_steps)));
  ++version_;
  past_ = nullptr;
  return true;
}

bool Project::Forget(const std::string& run_id) {
  const size_t before = history_.relatives().size();
  history_.Remove(run_id);
  if (history_.relatives().size() == before) return false;
  std::erase_if(misses_, [&](const RunMisses& misses) { return misses.run_id == run_id; });
  ++version_;
  past_ = nullptr;
  return true;
}

std::shared_ptr<const ProjectPast> Project::Past() const {
  if (past_ != nullptr) return past_;
  auto past = std::make_shared<ProjectPast>();
  past->version = version_;
  past->history = history_;
  AddMisses(misses_, past->misses);
  past_ = std::move(past);
  return past_;
}

}  // namespace curvecast
