#include "daemon/http/board_collector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"

namespace curvecast {
namespace {

// The text of a label's value between its quotes.
std::string Escaped(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// One gauge of Prometheus's text format, filled series by series. prometheus-cpp's own serializer wants every label of
// every series as a string of its own, and took 0.2 s for 10,000 runs.
class Gauge {
 public:
  Gauge(const char* name, const char* help) : name_(name), help_(help) {}

  // `labels` are written out and escaped, as `a="b",c="d"`, or empty.
  void Add(std::string_view labels, double value) {
    lines_.append(name_);
    if (!labels.empty()) {
      lines_ += '{';
      lines_.append(labels);
      lines_ += '}';
    }
    lines_ += ' ';
    if (std::isnan(value)) {
      lines_.append("NaN");
    } else if (std::isinf(value)) {
      lines_.append(value > 0 ? "+Inf" : "-Inf");
    } else {
      fmt::format_to(std::back_inserter(lines_), "{}", value);
    }
    lines_ += '\n';
  }
  // Nothing without a series.
  void AppendTo(std::string& page) const {
    if (lines_.empty()) return;
    fmt::format_to(std::back_inserter(page), "# HELP {} {}\n# TYPE {} gauge\n", name_, help_, name_);
    page.append(lines_);
  }

 private:
  const char* const name_;
  const char* const help_;
  std::string lines_;
};

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
  Gauge step = {"curvecast_run_step", "Newest step of the objective."};
  Gauge progress = {"curvecast_run_progress_ratio", "Newest step over the planned total, 0 to 1."};
  Gauge loss = {"curvecast_run_loss", "Newest value of the objective, as reported."};
  Gauge expected = {"curvecast_run_expected_loss",
                    "What the law expects of the objective at the newest forecast's step."};
  Gauge forecast = {"curvecast_run_forecast_final_loss", "Forecast of the objective at the end of the run."};
  Gauge last_point = {"curvecast_run_last_point_timestamp_seconds", "When the newest point arrived."};
  Gauge rewinds = {"curvecast_run_rewinds", "How often the job went back to a checkpoint."};
  Gauge non_finite = {"curvecast_run_non_finite_points", "NaN and infinite values of the objective that are held."};
  Gauge flag = {"curvecast_flag", "1 for each kind of flag that is active, neither acknowledged nor silenced."};
  Gauge deviation = {"curvecast_deviation_sigma",
                     "How far the newest points of the objective lie above what is expected, in standard "
                     "deviations."};
  Gauge info = {"curvecast_run_info", "1, with what the run declared and its state as labels."};

  void Add(const RunView& run, int64_t now) {
    const std::string labels = fmt::format(R"(project="{}",run="{}",family="{}")", Escaped(run.spec->key.project),
                                           Escaped(run.spec->key.run_id), Escaped(run.spec->family));
    if (run.step) step.Add(labels, static_cast<double>(*run.step));
    if (run.spec->total_steps) progress.Add(labels, run.progress);
    if (run.value) loss.Add(labels, *run.value);
    if (run.forecast != nullptr && run.forecast->answered()) {
      expected.Add(labels, run.forecast->expected_value);
      forecast.Add(labels + R"(,quantile="0.05")", run.forecast->quantiles[0]);
      forecast.Add(labels + R"(,quantile="0.5")", run.forecast->quantiles[2]);
      forecast.Add(labels + R"(,quantile="0.95")", run.forecast->quantiles[4]);
    }
    if (run.last_point_at_unix_micros != 0) {
      last_point.Add(labels, static_cast<double>(run.last_point_at_unix_micros) * 1e-6);
    }
    rewinds.Add(labels, static_cast<double>(run.rewind_count));
    for (const MetricView& metric : run.metrics) {
      if (metric.metric != run.spec->objective) continue;
      non_finite.Add(labels, static_cast<double>(metric.non_finite_points));
    }
    AddFlags(run, labels, now);
    if (run.deviation_sigma) deviation.Add(labels, *run.deviation_sigma);
    info.Add(fmt::format(R"({},objective="{}",state="{}")", labels, Escaped(run.spec->objective), NameOf(run.state)),
             1);
  }

  // One series for each kind, with the gravest of its flags.
  void AddFlags(const RunView& run, const std::string& labels, int64_t now) {
    uint32_t seen = 0;
    for (const BookedFlag* booked : ShownFlags(*run.flags, now)) {
      const uint32_t bit = 1u << static_cast<int>(booked->flag.kind);
      if ((seen & bit) != 0) continue;
      seen |= bit;
      flag.Add(fmt::format(R"({},kind="{}",severity="{}")", labels, NameOf(booked->flag.kind),
                           NameOf(booked->flag.severity)),
               1);
    }
  }

  void AppendTo(std::string& page) const {
    for (const Gauge* gauge : {&step, &progress, &loss, &expected, &forecast, &last_point, &rewinds, &non_finite, &flag,
                               &deviation, &info}) {
      gauge->AppendTo(page);
    }
  }
};

}  // namespace

std::string BoardCollector::Text() const {
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
  Gauge runs("curvecast_runs", "Runs held, by state.");
  for (RunState state : {RunState::kRunning, RunState::kCompleted, RunState::kFailed, RunState::kStopped}) {
    runs.Add(fmt::format(R"(state="{}")", NameOf(state)), static_cast<double>(by_state[static_cast<size_t>(state)]));
  }
  Gauge unexported("curvecast_runs_not_exported", "Runs that max_exported_runs keeps off this page.");
  unexported.Add("", static_cast<double>(hidden));

  std::string page;
  families.AppendTo(page);
  runs.AppendTo(page);
  unexported.AppendTo(page);
  return page;
}

}  // namespace curvecast
