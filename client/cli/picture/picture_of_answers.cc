#include "client/cli/picture/picture_of_answers.h"

#include <algorithm>
#include <cmath>

#include "client/cli/flags/flag_view.h"
#include "client/cli/number_text.h"
#include "client/cli/picture/rates.h"
#include "client/cli/run_view.h"
#include "daemon/convert/run_convert.h"

namespace curvecast {
namespace {

void AddCurve(const v1::GetRunResponse& run, const v1::GetCurveResponse& curve, RunPicture& picture) {
  const int bins = std::min(curve.step_size(), curve.value_size());
  for (int i = 0; i < bins; ++i) {
    picture.curve.push_back({curve.step(i), curve.value(i), i < curve.stddev_size() ? curve.stddev(i) : 0});
  }
  // Bins hold what is finite; the newest value is news if it is not.
  for (const v1::MetricSummary& metric : run.metrics()) {
    if (metric.metric() != picture.metric || std::isfinite(metric.last_value())) continue;
    picture.curve.push_back({static_cast<double>(metric.last_step()), metric.last_value(), 0});
  }
  for (const v1::Branch& branch : curve.superseded()) {
    std::vector<PicturePoint> points;
    for (int i = 0; i < std::min(branch.step_size(), branch.value_size()); ++i) {
      points.push_back({branch.step(i), branch.value(i), 0});
    }
    if (!points.empty()) picture.superseded.push_back(std::move(points));
  }
}

// What the forecasts said, of the present branch: what was forecast at a step or later before the job went back there
// is left out.
void AddForecasts(const v1::GetRunResponse& run, RunPicture& picture) {
  std::vector<v1::Forecast> told(run.history().begin(), run.history().end());
  if (run.run().has_forecast()) told.push_back(run.run().forecast());
  int64_t next_step = INT64_MAX;
  for (auto it = told.rbegin(); it != told.rend(); ++it) {
    if (it->status() != v1::Forecast::OK || it->step() >= next_step) continue;
    next_step = it->step();
    const auto step = static_cast<double>(it->step());
    if (it->expected_value() != 0) picture.expected.push_back({step, it->expected_value(), 0});  // 0: not kept.
    if (const auto median = Quantile(*it, "0.5")) picture.past_forecasts.push_back({step, *median, 0});
  }
  std::reverse(picture.expected.begin(), picture.expected.end());
  std::reverse(picture.past_forecasts.begin(), picture.past_forecasts.end());
  if (run.run().state() == v1::Run::COMPLETED) return;  // There is nothing left to forecast.
  for (const v1::ForecastPoint& p : run.run().forecast().path()) {
    picture.forecast.push_back({static_cast<double>(p.step()), p.p05(), p.p50(), p.p95()});
  }
}

void AddSchedule(const v1::RunSummary& run, RunPicture& picture) {
  if (!run.run().has_schedule()) return;
  const absl::StatusOr<ScheduleSpec> spec = ToScheduleSpec(run.run().schedule());
  if (!spec.ok()) return;
  picture.schedule =
      RatesOf(*spec, run.run().has_total_steps() ? std::optional(run.run().total_steps()) : std::nullopt);
  const bool has_words = !picture.schedule.empty() && !run.run().schedule().has_knots();
  if (has_words) picture.schedule_text = ScheduleText(run);
}

// The numbers of the kinds are those of core.
PictureFlag ToPictureFlag(const v1::Flag& flag, int64_t now) {
  PictureFlag out;
  out.number = flag.number();
  out.flag.kind = static_cast<FlagKind>(flag.kind());
  out.flag.severity = static_cast<Severity>(flag.severity());
  out.flag.resolution = static_cast<Resolution>(flag.resolution());
  out.flag.metric = flag.metric();
  out.flag.began_step = flag.began_step();
  out.flag.raised_step = flag.raised_at_step();
  out.flag.updated_step = flag.updated_at_step();
  out.sentence = flag.sentence();
  out.note = FlagNote(flag, now);
  return out;
}

}  // namespace

RunPicture PictureOf(const v1::GetRunResponse& run, const v1::GetCurveResponse& curve, int64_t now_unix_seconds) {
  const v1::Run& declared = run.run().run();
  RunPicture picture;
  picture.name = declared.project() + "/" + declared.run_id();
  picture.metric = curve.metric().empty() ? declared.objective() : curve.metric();
  picture.facts = {StateText(run.run().state()), ProgressText(run.run())};
  if (!declared.family().empty()) picture.facts.push_back("family " + declared.family());
  if (declared.direction() == v1::Run::MAXIMIZE) picture.facts.push_back("higher is better");
  if (declared.has_total_steps()) picture.total_steps = static_cast<double>(declared.total_steps());
  AddCurve(run, curve, picture);
  if (picture.metric == declared.objective()) AddForecasts(run, picture);
  const std::string told = ForecastText(run.run());
  picture.forecast_text = told.substr(0, told.find('\n'));
  AddSchedule(run.run(), picture);
  for (const v1::Flag& flag : run.flags()) picture.flags.push_back(ToPictureFlag(flag, now_unix_seconds));
  return picture;
}

}  // namespace curvecast
