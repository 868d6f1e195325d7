#include "daemon/http/board_collector.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace curvecast {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily Gauge(const char* name, const char* help) { return {name, help, MetricType::Gauge, {}}; }

void Add(MetricFamily& family, const Labels& labels, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = labels;
  metric.gauge.value = value;
}

Labels With(Labels labels, const char* name, std::string value) {
  labels.push_back({name, std::move(value)});
  return labels;
}

const char* NameOf(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kCompleted:
      return "completed";
    case RunState::kFailed:
      return "failed";
    case RunState::kStopped:
      return "stopped";
  }
  return "unknown";
}

// One family for each thing that is said of a run, filled run by run.
struct RunFamilies {
  MetricFamily step = Gauge("curvecast_run_step", "Newest step of the objective.");
  MetricFamily progress = Gauge("curvecast_run_progress_ratio", "Newest step over the planned total, 0 to 1.");
  MetricFamily loss = Gauge("curvecast_run_loss", "Newest value of the objective, as reported.");
  MetricFamily expected =
      Gauge("curvecast_run_expected_loss", "What the law expects of the objective at the newest forecast's step.");
  MetricFamily forecast =
      Gauge("curvecast_run_forecast_final_loss", "Forecast of the objective at the end of the run.");
  MetricFamily last_point = Gauge("curvecast_run_last_point_timestamp_seconds", "When the newest point arrived.");
  MetricFamily rewinds = Gauge("curvecast_run_rewinds", "How often the job went back to a checkpoint.");
  MetricFamily non_finite =
      Gauge("curvecast_run_non_finite_points", "NaN and infinite values of the objective that are held.");
  MetricFamily flag =
      Gauge("curvecast_flag", "1 for each kind of flag that is active, neither acknowledged nor silenced.");
  MetricFamily deviation = Gauge("curvecast_deviation_sigma",
                                 "How far the newest points of the objective lie above what is expected, in standard "
                                 "deviations.");
  MetricFamily info = Gauge("curvecast_run_info", "1, with what the run declared and its state as labels.");

  void Add(const RunView& run, int64_t now) {
    const Labels labels = {
        {"project", run.spec->key.project}, {"run", run.spec->key.run_id}, {"family", run.spec->family}};
    if (run.step) curvecast::Add(step, labels, static_cast<double>(*run.step));
    if (run.spec->total_steps) curvecast::Add(progress, labels, run.progress);
    if (run.value) curvecast::Add(loss, labels, *run.value);
    if (run.forecast != nullptr && run.forecast->answered()) {
      curvecast::Add(expected, labels, run.forecast->expected_value);
      curvecast::Add(forecast, With(labels, "quantile", "0.05"), run.forecast->quantiles[0]);
      curvecast::Add(forecast, With(labels, "quantile", "0.5"), run.forecast->quantiles[2]);
      curvecast::Add(forecast, With(labels, "quantile", "0.95"), run.forecast->quantiles[4]);
    }
    if (run.last_point_at_unix_micros != 0) {
      curvecast::Add(last_point, labels, static_cast<double>(run.last_point_at_unix_micros) * 1e-6);
    }
    curvecast::Add(rewinds, labels, static_cast<double>(run.rewind_count));
    for (const MetricView& metric : run.metrics) {
      if (metric.metric != run.spec->objective) continue;
      curvecast::Add(non_finite, labels, static_cast<double>(metric.non_finite_points));
    }
    AddFlags(run, labels, now);
    if (run.deviation_sigma) curvecast::Add(deviation, labels, *run.deviation_sigma);
    curvecast::Add(info, With(With(labels, "objective", run.spec->objective), "state", NameOf(run.state)), 1);
  }

  // One series for each kind, with the gravest of its flags.
  void AddFlags(const RunView& run, const Labels& labels, int64_t now) {
    uint32_t seen = 0;
    for (const BookedFlag* booked : ShownFlags(*run.flags, now)) {
      const uint32_t bit = 1u << static_cast<int>(booked->flag.kind);
      if ((seen & bit) != 0) continue;
      seen |= bit;
      curvecast::Add(flag,
                     With(With(labels, "kind", std::string(NameOf(booked->flag.kind))), "severity",
                          std::string(NameOf(booked->flag.severity))),
                     1);
    }
  }

  std::vector<MetricFamily> Take() && {
    std::vector<MetricFamily> families;
    for (MetricFamily* family : {&step, &progress, &loss, &expected, &forecast, &last_point, &rewinds, &non_finite,
                                 &flag, &deviation, &info}) {
      families.push_back(std::move(*family));
    }
    return families;
  }
};

}  // namespace

std::vector<MetricFamily> BoardCollector::Collect() const {
  const std::shared_ptr<const Board> board = boards_.Get();
  const int64_t now = clock_.NowUnixMicros();
  std::array<int64_t, 4> by_state = {};
  std::vector<const RunView*> shown;
  for (const auto& run : board->runs) {
    ++by_state[static_cast<size_t>(run->state)];
    const bool ended_long_ago =
        run->ended_at_unix_micros != 0 && now - run->ended_at_unix_micros > options_.exported_after_end_micros;
    if (!ended_long_ago) shown.push_back(run.get());
  }
  const size_t cap = static_cast<size_t>(options_.max_exported_runs);
  const size_t hidden = shown.size() > cap ? shown.size() - cap : 0;
  if (hidden > 0) {
    std::stable_sort(shown.begin(), shown.end(), [](const RunView* a, const RunView* b) {
      return a->last_point_at_unix_micros > b->last_point_at_unix_micros;
    });
    shown.resize(cap);
  }
  RunFamilies families;
  for (const RunView* run : shown) families.Add(*run, now);
  std::vector<MetricFamily> all = std::move(families).Take();

  MetricFamily runs = Gauge("curvecast_runs", "Runs held, by state.");
  for (RunState state : {RunState::kRunning, RunState::kCompleted, RunState::kFailed, RunState::kStopped}) {
    curvecast::Add(runs, {{"state", NameOf(state)}}, static_cast<double>(by_state[static_cast<size_t>(state)]));
  }
  MetricFamily unexported = Gauge("curvecast_runs_not_exported", "Runs that max_exported_runs keeps off this page.");
  curvecast::Add(unexported, {}, static_cast<double>(hidden));
  all.push_back(std::move(runs));
  all.push_back(std::move(unexported));
  all.erase(std::remove_if(all.begin(), all.end(), [](const MetricFamily& family) { return family.metric.empty(); }),
            all.end());
  return all;
}

}  // namespace curvecast
