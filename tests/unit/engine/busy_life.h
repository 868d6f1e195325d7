#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/leaning.h"
#include "tests/unit/engine/events.h"

// The life of some runs in which, over time, all happens that can happen to a run.
namespace curvecast::testing {

// A few jobs at a time in two projects, moved by one seed. Each has a course of its own: schedules, knots or none; an
// evaluation, a norm, rates and the odd other metric beside the loss; NaN, spikes, shifts, divergence, silence; late
// points, crashes and rewinds, ranks, new declarations, ends of each kind, and lives after the end.
class BusyLife {
 public:
  explicit BusyLife(uint64_t seed) : random_(seed) {}

  // The next thing that some job, or a person, does. `engine` has folded all before it.
  Event Next(const Engine& engine) {
    now_ += static_cast<int64_t>(Below(60) == 0 ? 900'000'000 : Below(4'000'000));
    if (jobs_.size() < 5 || (Below(60) == 0 && jobs_.size() < 40)) return OpenNew();
    Job& job = jobs_[std::max(Below(jobs_.size()), Below(jobs_.size()))];  // Rather the newer ones.
    const Run& run = *engine.Find(job.spec.key);
    switch (Below(40)) {
      case 0:
        return Reopen(job);
      case 1:
        return {now_, job.spec.key, Declare(job)};
      case 2:
        if (!run.flags().flags()->empty()) return Handle(run);
        break;
      case 3:
        return Rank(job, run);
      case 4:
      case 5:
      case 6:
        if (!run.objective().empty()) return Foretell(engine, run);
        break;
      default:
        break;
    }
    return Append(job);
  }
  int64_t now() const { return now_; }
  // A finished or running run, whichever comes.
  RunKey AnyKey() { return jobs_[Below(jobs_.size())].spec.key; }
  uint64_t Below(uint64_t n) { return random_() % n; }

 private:
  struct Job {
    RunSpec spec;
    uint64_t incarnation = 1, sequence = 0;
    Step step = 0;
    double level = 1, trouble = 0;
  };

  double Part() { return static_cast<double>(Below(1'000'000)) * 1e-6; }
  double Noise() { return Part() + Part() + Part() - 1.5; }

  Event OpenNew() {
    Job job;
    job.spec.key = {Below(3) == 0 ? "other" : "p", "run" + std::to_string(jobs_.size())};
    job.spec.family = "f" + std::to_string(Below(2));
    job.level = 1 + 0.2 * Part();
    Redeclare(job);
    jobs_.push_back(job);
    return {now_, job.spec.key, RunOpened{job.spec, "", 1, std::nullopt}};
  }
  void Redeclare(Job& job) {
    job.spec.maximize = Below(10) == 0;
    job.spec.objective = job.spec.maximize ? "eval/accuracy" : Below(8) == 0 ? "eval/loss" : "train/loss";
    job.spec.total_steps = Below(12) == 0 ? std::nullopt : std::optional<Step>(400 + 100 * static_cast<Step>(Below(4)));
    job.spec.schedule.reset();
    if (job.spec.total_steps && Below(4) != 0) {
      job.spec.schedule = ScheduleSpec{3e-3, 1e-5, 20, Decay::kCosine, 20, {}, {}};
      if (Below(3) == 0) job.spec.schedule = ScheduleSpec{0, 0, 0, Decay::kNone, 0, {0, 30, 300}, {0, 1e-3, 1e-4}};
    }
    if (Below(2) == 0) job.spec.tokens_per_step = 1000;
    if (Below(2) == 0) job.spec.labels = {{"optimizer", Below(2) == 0 ? "adam" : "sgd"}};
  }
  RunOpened Declare(Job& job) {
    if (Below(3) == 0) {
      Redeclare(job);
    } else {
      job.spec.parameters = 1e6;
    }
    return {job.spec, "", job.incarnation, std::nullopt};
  }
  Event Reopen(Job& job) {
    ++job.incarnation;
    job.sequence = 0;
    job.step = static_cast<Step>(Below(static_cast<uint64_t>(job.step) + 1));
    if (Below(2) == 0) job.trouble = 0;
    return {now_, job.spec.key,
            RunOpened{job.spec, "", job.incarnation, Below(2) == 0 ? std::optional<Step>(job.step) : std::nullopt}};
  }
  Event Handle(const Run& run) {
    const FlagBook& book = run.flags();
    FlagHandled handled{1 + static_cast<int64_t>(Below(static_cast<uint64_t>(book.raised()))), "ada", "seen", {}};
    if (Below(2) == 0) handled.silenced_until = now_ + 1'000'000;
    return {now_, run.spec().key, handled};
  }
  Event Rank(Job& job, const Run& run) {
    const Run::Writer* writer = run.FindWriter("rank1");
    if (writer == nullptr || Below(10) == 0) {
      const uint64_t life = writer == nullptr ? 1 : writer->incarnation + 1;
      return {now_, job.spec.key, RunOpened{run.spec(), "rank1", life, std::nullopt}};
    }
    BatchAppended batch{"rank1", writer->incarnation, writer->last_sequence + 1, {}, {}};
    batch.columns.push_back({"rank1/grad_norm", {job.step}, {Part()}});
    return {now_, job.spec.key, batch};
  }
  Event Foretell(const Engine& engine, const Run& run) {
    const Prior& prior = Prior::Shipped();
    const auto past = engine.Past(PastKeyOf(run.spec()));
    const RunPlan planned = PlanRun(run.spec(), run.objective().last_step(), run.LoggedRates());
    const Leaning leaning = LeanOnPast(past.get(), run.spec(), planned.plan, run.objective().last_step(), prior);
    Forecast forecast = MakeForecast(run.objective(), planned.plan, prior, leaning);
    if (Below(4) == 0)
      for (double& q : forecast.quantiles) q *= 1.5;
    return {now_, run.spec().key, ForecastMade{std::move(forecast)}};
  }
  Event Append(Job& job) {
    if (Below(40) == 0) job.trouble = Below(2) == 0 ? 0.4 * Part() : 0;
    BatchAppended batch{"", job.incarnation, ++job.sequence, {}, {}};
    if (Below(20) == 0) --batch.sequence;  // A resend.
    Column loss{job.spec.objective, {}, {}}, eval = loss, norm = loss, rate = loss, train = loss;
    eval.metric = "val/loss";
    norm.metric = "grad_norm";
    rate.metric = "lr";
    train.metric = "train/loss";
    for (uint64_t n = Below(24); n > 0; --n) {
      const double x = (static_cast<double>(++job.step) + 5) / 500;
      double value = job.level * (2 + 0.5 * std::pow(x, -0.3)) * (1 + 0.01 * Noise());
      value *= 1 + job.trouble * x + (Below(60) == 0 ? 0.5 : 0);
      if (job.spec.maximize) value = 1 - value / 10;
      if (Below(150) == 0) value = std::numeric_limits<double>::quiet_NaN();
      loss.steps.push_back(Below(30) == 0 ? job.step / 2 : job.step);
      loss.values.push_back(value);
      if (job.step % 10 == 0) {
        eval.steps.push_back(job.step);
        eval.values.push_back(value * (1.1 + (job.trouble > 0.3 ? x : 0)));
      }
      norm.steps.push_back(job.step);
      norm.values.push_back((Below(50) == 0 ? 30 : 1) * (1 + 0.2 * Noise()));
      rate.steps.push_back(job.step);
      rate.values.push_back(3e-3 * std::max(0.1, 1 - x / 2));
      train.steps.push_back(job.step);
      train.values.push_back(value);
    }
    batch.columns.push_back(std::move(loss));
    if (Below(3) != 0) batch.columns.push_back(std::move(norm));
    if (Below(3) != 0) batch.columns.push_back(std::move(rate));
    if (job.spec.objective != "eval/loss") batch.columns.push_back(std::move(eval));
    if (job.spec.objective == "eval/loss") batch.columns.push_back(std::move(train));
    if (Below(10) == 0) batch.columns.push_back({"other" + std::to_string(Below(3)), {job.step}, {Part()}});
    if (Below(15) == 0) batch.phase = Phase{"evaluation", 600};
    const bool due = job.spec.total_steps && job.step >= *job.spec.total_steps;
    if (due || Below(200) == 0) {
      constexpr RunState kEnds[] = {RunState::kFailed, RunState::kStopped, RunState::kCompleted};
      batch.end = due ? RunState::kCompleted : kEnds[Below(3)];
    }
    return {now_, job.spec.key, batch};
  }

  std::mt19937_64 random_;
  std::vector<Job> jobs_;
  int64_t now_ = 1'700'000'000'000'000;
};

}  // namespace curvecast::testing
