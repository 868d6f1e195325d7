#include "client/cli/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "client/cli/chart.h"
#include "client/cli/flags/flag_view.h"
#include "client/cli/number_text.h"
#include "client/cli/printable.h"
#include "client/cli/table.h"

namespace curvecast {
namespace {

constexpr size_t kUsualWidth = 100;
constexpr size_t kMaxMetricsListed = 12;
constexpr double kMilestones[] = {0.2, 0.5, 0.8};
constexpr double kMilestoneReach = 0.05;  // A forecast this far past the milestone still stands for it.

std::string Dashed(const std::string& text) { return text.empty() ? "-" : text; }

std::string Full(const v1::Run& run) { return run.project() + "/" + run.run_id(); }

std::string AgeOf(const google::protobuf::Timestamp& time, const ViewStyle& style) {
  return AgeText(style.now_unix_seconds - time.seconds());
}

std::string PhaseText(const v1::Phase& phase) {
  return fmt::format("{}, at most {}", Printable(Dashed(phase.name())), AgeText(std::llround(phase.max_seconds())));
}

std::string Plural(int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string StateText(v1::Run::State state) {
  std::string text = v1::Run::State_Name(state);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return state == v1::Run::STATE_UNSPECIFIED ? "-" : text;
}

std::string ProgressText(const v1::RunSummary& run) {
  if (!run.run().has_total_steps())
    return run.has_step() ? fmt::format("step {}, no planned end", run.step()) : "no point yet";
  if (!run.has_step()) return fmt::format("no point yet, {} steps planned", run.run().total_steps());
  return fmt::format("step {} of {} ({})", run.step(), run.run().total_steps(), PercentText(run.progress()));
}

std::string ScheduleText(const v1::RunSummary& run) {
  if (!run.run().has_schedule()) {
    return run.inferred_schedule().empty() ? "none declared" : "none declared; logged " + run.inferred_schedule();
  }
  const v1::Schedule& schedule = run.run().schedule();
  if (schedule.has_knots()) return fmt::format("{} knots", schedule.knots().step_size());
  const std::string warmup =
      schedule.warmup_steps() > 0 ? fmt::format("{} warm-up steps, ", schedule.warmup_steps()) : "";
  if (schedule.decay() == v1::Schedule::NONE || schedule.decay() == v1::Schedule::DECAY_UNSPECIFIED) {
    return warmup + "then constant at " + NumberText(schedule.peak_lr());
  }
  std::string decay = v1::Schedule::Decay_Name(schedule.decay());
  std::transform(decay.begin(), decay.end(), decay.begin(),
                 [](char c) { return c == '_' ? '-' : (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
  const std::string from = schedule.decay_start_step() > schedule.warmup_steps()
                               ? fmt::format(" from step {}", schedule.decay_start_step())
                               : "";
  return fmt::format("{}{}{}, {} to {}", warmup, decay, from, NumberText(schedule.peak_lr()),
                     NumberText(schedule.final_lr()));
}

std::string CurveText(const v1::GetCurveResponse& curve, const v1::Forecast& forecast, double end,
                      const ViewStyle& style) {
  ChartData data;
  const int bins = std::min(curve.step_size(), curve.value_size());
  for (int i = 0; i < bins; ++i) data.curve.push_back({curve.step(i), curve.value(i)});
  for (const v1::ForecastPoint& p : forecast.path()) {
    data.forecast.push_back({static_cast<double>(p.step()), p.p05(), p.p50(), p.p95()});
  }
  data.x_end = end;
  ChartStyle chart;
  chart.width = std::min(style.width == 0 ? kUsualWidth : style.width, kUsualWidth);
  chart.ascii = style.ascii;
  const std::string text = RenderChart(data, chart);
  if (text.empty()) return "";
  std::string legend;
  if (!data.forecast.empty()) {
    legend = style.ascii ? "   * curve  - forecast  . 90 % band" : "   ⣀ curve  ⢀ forecast  ░ 90 % band";
  }
  return "\n" + curve.metric() + legend + "\n" + text;
}

namespace {

void AddFact(std::string& out, const std::string& name, const std::string& value) {
  out += fmt::format("  {:<12}{}\n", name, value);
}

std::string FactsText(const v1::GetRunResponse& answer, const ViewStyle& style) {
  const v1::RunSummary& run = answer.run();
  std::string out = Full(run.run()) + "  " + StateText(run.state()) + "\n" + ShownFlagsText(answer, style);
  AddFact(out, "family", Dashed(run.run().family()));
  std::string progress = ProgressText(run);
  if (run.rewinds() > 0) {
    progress += ", rewound " + Plural(run.rewinds(), "time");
    if (answer.rewound_to_steps_size() > 0) {
      progress += fmt::format(", last to step {}", *answer.rewound_to_steps().rbegin());
    }
  }
  AddFact(out, "progress", progress);
  AddFact(out, Dashed(run.run().objective()), run.has_value() ? NumberText(run.value()) : "-");
  AddFact(out, "schedule", ScheduleText(run));
  if (run.run().has_parameters()) AddFact(out, "parameters", fmt::format("{:.4g}", run.run().parameters()));
  if (run.has_last_point_at()) AddFact(out, "last point", AgeOf(run.last_point_at(), style) + " ago");
  if (run.has_deviation_sigma())
    AddFact(out, "deviation", fmt::format("{:+.1f} sigma of the law", run.deviation_sigma()));
  if (run.has_phase()) AddFact(out, "doing", PhaseText(run.phase()));
  std::string metrics;
  for (int i = 0; i < answer.metrics_size(); ++i) {
    const v1::MetricSummary& metric = answer.metrics(i);
    if (static_cast<size_t>(i) == kMaxMetricsListed) {
      metrics += fmt::format(" and {} more", answer.metrics_size() - i);
      break;
    }
    metrics += fmt::format("{}{} {}", i == 0 ? "" : ", ", metric.metric(), NumberText(metric.last_value()));
    if (metric.non_finite_points() > 0) metrics += fmt::format(" ({} not finite)", metric.non_finite_points());
  }
  if (!metrics.empty()) AddFact(out, "metrics", metrics);
  for (const auto& [key, value] :
       std::map<std::string, std::string>(run.run().labels().begin(), run.run().labels().end())) {
    AddFact(out, "label", Printable(key + " = " + value));
  }
  return out;
}

// What the run ended with: the mean of the objective over the last 1 % of its steps, since a single point is mostly
// noise; the newest value if the curve does not show them. NaN if the run did not reach its end.
double EndValue(const v1::RunSummary& run, const v1::GetCurveResponse& curve) {
  if (run.state() != v1::Run::COMPLETED || !run.has_value()) return NAN;
  if (curve.metric() != run.run().objective()) return run.value();
  const double from = 0.99 * static_cast<double>(std::max(run.run().total_steps(), run.step()));
  double sum = 0, count = 0;
  for (int i = 0; i < std::min({curve.step_size(), curve.value_size(), curve.count_size()}); ++i) {
    if (curve.step(i) <= from) continue;
    sum += curve.value(i) * static_cast<double>(curve.count(i));
    count += static_cast<double>(curve.count(i));
  }
  return count > 0 ? sum / count : run.value();
}

std::string ErrorText(const v1::Forecast& forecast, double truth) {
  const std::optional<double> median = Quantile(forecast, "0.5");
  if (!median || !std::isfinite(truth) || truth == 0) return "-";
  return fmt::format("{:+.2f} %", 100 * (*median - truth) / std::abs(truth));
}

// For a run of which no point of the objective came, although others did: most likely its name is another.
std::string MissingObjectiveText(const v1::GetRunResponse& answer) {
  if (answer.run().has_value() || answer.metrics().empty()) return "";
  std::string names;
  for (int i = 0; i < std::min<int>(answer.metrics_size(), kMaxMetricsListed); ++i) {
    names += (i == 0 ? "" : ", ") + answer.metrics(i).metric();
  }
  return fmt::format(
      "No point of the objective {} has come; this run has {}. Declare the metric to forecast as its objective.\n",
      answer.run().run().objective(), names);
}

std::string HistoryText(const v1::GetRunResponse& answer, const v1::GetCurveResponse& curve) {
  const double truth = EndValue(answer.run(), curve);
  Table table;
  table.columns = {{"at", Table::Align::kRight},
                   {"step", Table::Align::kRight},
                   {"forecast", Table::Align::kRight},
                   {"90 % interval", Table::Align::kLeft}};
  if (std::isfinite(truth)) table.columns.push_back({"error", Table::Align::kRight});
  for (const double milestone : kMilestones) {
    const auto it = std::find_if(answer.history().begin(), answer.history().end(),
                                 [&](const v1::Forecast& f) { return f.progress() >= milestone - 1e-9; });
    if (it == answer.history().end() || it->progress() > milestone + kMilestoneReach) continue;
    std::vector<std::string> row = {PercentText(milestone), std::to_string(it->step()), MedianText(*it),
                                    BoundsText(*it)};
    if (it->status() != v1::Forecast::OK) row[3] = it->reason();
    if (std::isfinite(truth)) row.push_back(ErrorText(*it, truth));
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) return "";
  const std::string ended = std::isfinite(truth) ? " (it ended at " + NumberText(truth) + ", over its last 1 %)" : "";
  return "\nWhat was forecast on the way" + ended + ":\n" + Render(table, 0, "");
}

}  // namespace

std::string ForecastText(const v1::RunSummary& run) {
  const bool not_yet = run.has_forecast() && run.forecast().status() != v1::Forecast::OK;
  if (run.state() != v1::Run::RUNNING) {
    if (!run.has_value()) return fmt::format("It is {}.\n", StateText(run.state()));
    const std::string forecast = not_yet ? "there is no forecast, " + run.forecast().reason()
                                         : "the newest forecast was " + IntervalText(run.forecast());
    return fmt::format("It is {}: {} {} at step {}; {}\n", StateText(run.state()), run.run().objective(),
                       NumberText(run.value()), run.step(), forecast);
  }
  if (!run.has_forecast()) return "Forecast: none yet.\n";
  const v1::Forecast& forecast = run.forecast();
  if (forecast.status() != v1::Forecast::OK) return "Forecast: not yet, " + Dashed(forecast.reason()) + ".\n";
  return fmt::format("Forecast of {} at step {}: {}, 90 % interval {}\n", run.run().objective(),
                     run.run().total_steps(), MedianText(forecast), BoundsText(forecast)) +
         LeansText(forecast);
}

std::string RunsText(const std::vector<v1::RunSummary>& runs, const ViewStyle& style) {
  if (runs.empty()) return "no runs\n";
  using enum Table::Align;
  Table table;
  table.columns = {{"project", kLeft, true}, {"run", kLeft, true}, {"family", kLeft, true}, {"state", kLeft},
                   {"done", kRight},         {"step", kRight},     {"loss", kRight},        {"forecast", kRight},
                   {"90 % interval", kLeft}, {"age", kRight}};
  const bool flagged =
      std::any_of(runs.begin(), runs.end(), [](const v1::RunSummary& run) { return !run.flags().empty(); });
  if (flagged) table.columns.push_back({"flags", kLeft});
  const size_t rows = style.max_rows == 0 ? runs.size() : std::min(runs.size(), style.max_rows);
  for (size_t i = 0; i < rows; ++i) {
    const v1::RunSummary& run = runs[i];
    table.rows.push_back({run.run().project(), run.run().run_id(), Dashed(run.run().family()), StateText(run.state()),
                          run.run().has_total_steps() ? PercentText(run.progress()) : "-",
                          run.has_step() ? std::to_string(run.step()) : "-",
                          run.has_value() ? NumberText(run.value()) : "-", MedianText(run.forecast()),
                          BoundsText(run.forecast()),
                          run.has_last_point_at() ? AgeOf(run.last_point_at(), style) : "-"});
    if (flagged) table.rows.back().push_back(FlagsCell(run));
  }
  std::string out = Render(table, style.width, style.ascii ? ".." : "…");
  if (rows < runs.size()) out += fmt::format("and {} more\n", runs.size() - rows);
  return out;
}

std::string RunText(const v1::GetRunResponse& run, const v1::GetCurveResponse& curve, const ViewStyle& style) {
  const bool under_way = run.run().state() == v1::Run::RUNNING;
  return FactsText(run, style) + "\n" + MissingObjectiveText(run) + ForecastText(run.run()) + HistoryText(run, curve) +
         OtherFlagsText(run, style) +
         CurveText(curve, under_way ? run.run().forecast() : v1::Forecast(),
                   static_cast<double>(run.run().run().total_steps()), style);
}

std::string LeansText(const v1::Forecast& forecast) {
  if (forecast.relatives() <= 0) return "";
  const std::string siblings = forecast.siblings() > 0 ? fmt::format(", {} of its family", forecast.siblings()) : "";
  return "It leans on " + Plural(forecast.relatives(), "finished run") + " of the project" + siblings + ".\n";
}

std::string NewsText(const v1::RunSummary& run) {
  std::string out = fmt::format("{}  {}  {}", Full(run.run()), StateText(run.state()), ProgressText(run));
  if (run.has_value()) out += fmt::format("  {} {}", run.run().objective(), NumberText(run.value()));
  if (run.has_forecast()) {
    out += run.forecast().status() == v1::Forecast::OK ? "  forecast " + IntervalText(run.forecast())
                                                       : "  no forecast yet: " + run.forecast().reason();
  }
  if (!run.flags().empty()) out += "  FLAG " + FlagsCell(run);
  if (run.has_phase()) out += "  doing " + PhaseText(run.phase());
  return out + "\n";
}

}  // namespace curvecast
