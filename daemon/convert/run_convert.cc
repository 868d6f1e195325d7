#include "daemon/convert/run_convert.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr int kMaxKnots = 4096;
constexpr size_t kMaxPhaseName = 128;
constexpr double kMaxPhaseSeconds = 30 * 86400;

v1::Schedule::Decay ToProto(Decay decay) {
  switch (decay) {
    case Decay::kNone:
      return v1::Schedule::NONE;
    case Decay::kCosine:
      return v1::Schedule::COSINE;
    case Decay::kLinear:
      return v1::Schedule::LINEAR;
    case Decay::kExponential:
      return v1::Schedule::EXPONENTIAL;
    case Decay::kOneMinusSqrt:
      return v1::Schedule::ONE_MINUS_SQRT;
  }
  return v1::Schedule::DECAY_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<Decay> ToDecay(v1::Schedule::Decay decay) {
  switch (decay) {
    case v1::Schedule::DECAY_UNSPECIFIED:
    case v1::Schedule::NONE:
      return Decay::kNone;
    case v1::Schedule::COSINE:
      return Decay::kCosine;
    case v1::Schedule::LINEAR:
      return Decay::kLinear;
    case v1::Schedule::EXPONENTIAL:
      return Decay::kExponential;
    case v1::Schedule::ONE_MINUS_SQRT:
      return Decay::kOneMinusSqrt;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("decay: is ", static_cast<int>(decay),
                       ", which this daemon does not know; write one of NONE, COSINE, LINEAR, "
                       "EXPONENTIAL, ONE_MINUS_SQRT, or give knots"));
  }
}

absl::StatusOr<ScheduleSpec> ToScheduleSpec(const v1::Schedule& schedule) {
  if (schedule.knots().step_size() > kMaxKnots) {
    return absl::InvalidArgumentError(
        absl::StrCat("schedule.knots: has ", schedule.knots().step_size(), " knots; at most ", kMaxKnots, " are kept"));
  }
  absl::StatusOr<Decay> decay = ToDecay(schedule.decay());
  if (!decay.ok()) return absl::InvalidArgumentError(absl::StrCat("schedule.", decay.status().message()));
  ScheduleSpec spec;
  spec.peak_lr = schedule.peak_lr();
  spec.final_lr = schedule.final_lr();
  spec.warmup_steps = schedule.warmup_steps();
  spec.decay = *decay;
  spec.decay_start_step = schedule.decay_start_step();
  spec.knot_steps.assign(schedule.knots().step().begin(), schedule.knots().step().end());
  spec.knot_lrs.assign(schedule.knots().lr().begin(), schedule.knots().lr().end());
  return spec;
}

v1::Schedule ToProto(const ScheduleSpec& spec) {
  v1::Schedule schedule;
  if (!spec.knot_steps.empty()) {
    schedule.mutable_knots()->mutable_step()->Assign(spec.knot_steps.begin(), spec.knot_steps.end());
    schedule.mutable_knots()->mutable_lr()->Assign(spec.knot_lrs.begin(), spec.knot_lrs.end());
    return schedule;
  }
  schedule.set_peak_lr(spec.peak_lr);
  schedule.set_final_lr(spec.final_lr);
  schedule.set_warmup_steps(spec.warmup_steps);
  schedule.set_decay(ToProto(spec.decay));
  schedule.set_decay_start_step(spec.decay_start_step);
  return schedule;
}

absl::StatusOr<RunSpec> ToRunSpec(const v1::Run& run) {
  RunSpec spec;
  spec.key = {run.project(), run.run_id()};
  spec.family = run.family();
  spec.objective = run.objective();
  if (!v1::Run::Direction_IsValid(run.direction())) {
    return absl::InvalidArgumentError(
        absl::StrCat("direction: is ", static_cast<int>(run.direction()), "; write MINIMIZE or MAXIMIZE"));
  }
  spec.maximize = run.direction() == v1::Run::MAXIMIZE;
  if (run.has_total_steps()) spec.total_steps = run.total_steps();
  if (run.has_parameters()) spec.parameters = run.parameters();
  if (run.has_tokens_per_step()) spec.tokens_per_step = run.tokens_per_step();
  if (run.has_schedule()) {
    absl::StatusOr<ScheduleSpec> schedule = ToScheduleSpec(run.schedule());
    if (!schedule.ok()) return schedule.status();
    spec.schedule = *std::move(schedule);
  }
  spec.labels.assign(run.labels().begin(), run.labels().end());
  std::sort(spec.labels.begin(), spec.labels.end());
  Normalize(spec);
  if (absl::Status status = CheckRunSpec(spec); !status.ok()) return status;
  return spec;
}

v1::Run ToProto(const RunSpec& spec) {
  v1::Run run;
  run.set_project(spec.key.project);
  run.set_run_id(spec.key.run_id);
  run.set_family(spec.family);
  run.set_objective(spec.objective);
  if (spec.maximize) run.set_direction(v1::Run::MAXIMIZE);
  if (spec.total_steps) run.set_total_steps(*spec.total_steps);
  if (spec.parameters) run.set_parameters(*spec.parameters);
  if (spec.tokens_per_step) run.set_tokens_per_step(*spec.tokens_per_step);
  if (spec.schedule) *run.mutable_schedule() = ToProto(*spec.schedule);
  for (const auto& [key, value] : spec.labels) (*run.mutable_labels())[key] = value;
  return run;
}

absl::StatusOr<Column> ToColumn(const v1::Points& points) {
  if (!IsMetricName(points.metric())) {
    return absl::InvalidArgumentError(
        absl::StrCat("metric: is \"", points.metric().substr(0, 80),
                     "\"; write 1 to 128 characters of [A-Za-z0-9._:/-], such as \"train/loss\""));
  }
  if (points.step_size() != points.value_size()) {
    return absl::InvalidArgumentError(absl::StrCat("value: has ", points.value_size(), " values for ",
                                                   points.step_size(), " steps; both columns must have one length"));
  }
  for (int i = 0; i < points.step_size(); ++i) {
    if (points.step(i) < 0 || points.step(i) > kMaxStep) {
      return absl::InvalidArgumentError(absl::StrCat("step[", i, "]: is ", points.step(i), "; steps are 0 to 2^53"));
    }
  }
  Column column;
  column.metric = points.metric();
  column.steps.assign(points.step().begin(), points.step().end());
  column.values.assign(points.value().begin(), points.value().end());
  return column;
}

void Fill(const Column& column, v1::Points& points) {
  points.set_metric(column.metric);
  points.mutable_step()->Assign(column.steps.begin(), column.steps.end());
  points.mutable_value()->Assign(column.values.begin(), column.values.end());
}

absl::StatusOr<Phase> ToPhase(const v1::Phase& phase) {
  if (phase.name().size() > kMaxPhaseName) {
    return absl::InvalidArgumentError(
        absl::StrCat("name: has ", phase.name().size(), " bytes; write at most ", kMaxPhaseName, ", such as \"eval\""));
  }
  if (!(phase.max_seconds() > 0 && phase.max_seconds() <= kMaxPhaseSeconds)) {
    return absl::InvalidArgumentError(absl::StrCat("max_seconds: is ", phase.max_seconds(),
                                                   "; write how long the phase may take, more than 0 and at most "
                                                   "30 days (2592000)"));
  }
  return Phase{phase.name(), phase.max_seconds()};
}

v1::Phase ToProto(const Phase& phase) {
  v1::Phase proto;
  proto.set_name(phase.name);
  proto.set_max_seconds(phase.max_seconds);
  return proto;
}

absl::StatusOr<RunState> ToEnd(const v1::End& end) {
  switch (end.state()) {
    case v1::Run::COMPLETED:
      return RunState::kCompleted;
    case v1::Run::FAILED:
      return RunState::kFailed;
    case v1::Run::STOPPED:
      return RunState::kStopped;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("state: is ", static_cast<int>(end.state()), "; a run ends as COMPLETED, FAILED or STOPPED"));
  }
}

v1::Run::State ToProto(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return v1::Run::RUNNING;
    case RunState::kCompleted:
      return v1::Run::COMPLETED;
    case RunState::kFailed:
      return v1::Run::FAILED;
    case RunState::kStopped:
      return v1::Run::STOPPED;
  }
  return v1::Run::STATE_UNSPECIFIED;
}

}  // namespace curvecast
