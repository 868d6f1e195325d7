#include "daemon/convert/view_convert.h"

#include <utility>

#include "daemon/convert/flag_convert.h"
#include "daemon/convert/run_convert.h"
#include "google/protobuf/util/time_util.h"

namespace curvecast {
namespace {

constexpr const char* kQuantileNames[] = {"0.05", "0.25", "0.5", "0.75", "0.95"};

}  // namespace

v1::Forecast ToProto(const Forecast& forecast, WithPath path) {
  v1::Forecast proto;
  proto.set_status(forecast.answered() ? v1::Forecast::OK : v1::Forecast::NOT_YET);
  proto.set_step(forecast.step);
  proto.set_progress(forecast.progress);
  if (!forecast.answered()) {
    proto.set_reason(std::string(Explain(forecast.reason)));
    return proto;
  }
  for (size_t i = 0; i < kQuantileLevels.size(); ++i)
    (*proto.mutable_quantiles())[kQuantileNames[i]] = forecast.quantiles[i];
  proto.set_expected_value(forecast.expected_value);
  proto.set_relatives(forecast.leaned.relatives);
  proto.set_siblings(forecast.leaned.siblings);
  if (path == WithPath::kNo) return proto;
  for (const PathPoint& point : forecast.path) {
    v1::ForecastPoint* out = proto.add_path();
    out->set_step(point.step);
    out->set_p05(point.p05);
    out->set_p50(point.p50);
    out->set_p95(point.p95);
  }
  return proto;
}

v1::RunSummary ToSummary(const RunView& view, WithPath path, int64_t now_unix_micros) {
  using google::protobuf::util::TimeUtil;
  v1::RunSummary summary;
  *summary.mutable_run() = ToProto(*view.spec);
  summary.set_state(ToProto(view.state));
  if (view.step) summary.set_step(*view.step);
  if (view.value) summary.set_value(*view.value);
  summary.set_progress(view.progress);
  if (view.forecast) *summary.mutable_forecast() = ToProto(*view.forecast, path);
  *summary.mutable_opened_at() = TimeUtil::MicrosecondsToTimestamp(view.opened_at_unix_micros);
  if (view.last_point_at_unix_micros != 0) {
    *summary.mutable_last_point_at() = TimeUtil::MicrosecondsToTimestamp(view.last_point_at_unix_micros);
  }
  summary.set_rewinds(view.rewind_count);
  summary.set_inferred_schedule(view.inferred_schedule);
  for (const BookedFlag* flag : ShownFlags(*view.flags, now_unix_micros)) *summary.add_flags() = ToProto(*flag);
  if (view.deviation_sigma) summary.set_deviation_sigma(*view.deviation_sigma);
  if (const Phase* phase = PhaseAt(view, now_unix_micros)) *summary.mutable_phase() = ToProto(*phase);
  return summary;
}

v1::GetRunResponse ToGetRunResponse(const RunView& view, int64_t now_unix_micros) {
  v1::GetRunResponse response;
  *response.mutable_run() = ToSummary(view, WithPath::kYes, now_unix_micros);
  for (const MetricView& metric : view.metrics) {
    v1::MetricSummary* out = response.add_metrics();
    out->set_metric(metric.metric);
    out->set_points(metric.points);
    out->set_non_finite_points(metric.non_finite_points);
    out->set_last_step(metric.last_step);
    out->set_last_value(metric.last_value);
  }
  for (const Forecast& forecast : *view.history) *response.add_history() = ToProto(forecast, WithPath::kNo);
  for (Step step : view.rewinds) response.add_rewound_to_steps(step);
  for (const BookedFlag& flag : *view.flags) *response.add_flags() = ToProto(flag);
  return response;
}

absl::StatusOr<WhatIf> ToWhatIf(const v1::ForecastRunRequest& request) {
  WhatIf what_if;
  if (request.has_total_steps()) what_if.total_steps = request.total_steps();
  if (request.has_schedule()) {
    absl::StatusOr<ScheduleSpec> schedule = ToScheduleSpec(request.schedule());
    if (!schedule.ok()) return schedule.status();
    what_if.schedule = *std::move(schedule);
  }
  if (request.has_decay()) {
    const absl::StatusOr<Decay> decay = ToDecay(request.decay());
    if (!decay.ok()) return decay.status();
    what_if.decay = *decay;
  }
  if (request.has_decay_start_step()) what_if.decay_start_step = request.decay_start_step();
  if (request.has_final_lr()) what_if.final_lr = request.final_lr();
  return what_if;
}

}  // namespace curvecast
