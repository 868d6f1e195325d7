#include "client/cpp/declaration.h"

namespace curvecast {
namespace {

v1::Schedule::Decay ToProto(ReportedSchedule::Decay decay) {
  switch (decay) {
    case ReportedSchedule::Decay::kNone:
      return v1::Schedule::NONE;
    case ReportedSchedule::Decay::kCosine:
      return v1::Schedule::COSINE;
    case ReportedSchedule::Decay::kLinear:
      return v1::Schedule::LINEAR;
    case ReportedSchedule::Decay::kExponential:
      return v1::Schedule::EXPONENTIAL;
    case ReportedSchedule::Decay::kOneMinusSqrt:
      return v1::Schedule::ONE_MINUS_SQRT;
  }
  return v1::Schedule::DECAY_UNSPECIFIED;
}

v1::Schedule ToProto(const ReportedSchedule& schedule) {
  v1::Schedule out;
  out.set_peak_lr(schedule.peak_lr);
  out.set_final_lr(schedule.final_lr);
  out.set_warmup_steps(schedule.warmup_steps);
  out.set_decay(ToProto(schedule.decay));
  out.set_decay_start_step(schedule.decay_start_step);
  return out;
}

}  // namespace

v1::Run ToProto(const ReportedRun& run) {
  v1::Run out;
  out.set_project(run.project);
  out.set_run_id(run.run_id);
  out.set_family(run.family);
  out.set_objective(run.objective);
  if (run.maximize) out.set_direction(v1::Run::MAXIMIZE);
  if (run.total_steps.has_value()) out.set_total_steps(*run.total_steps);
  if (run.parameters.has_value()) out.set_parameters(*run.parameters);
  if (run.tokens_per_step.has_value()) out.set_tokens_per_step(*run.tokens_per_step);
  if (run.schedule.has_value()) *out.mutable_schedule() = ToProto(*run.schedule);
  for (const auto& [key, value] : run.labels) (*out.mutable_labels())[key] = value;
  return out;
}

v1::Run::State ToProto(RunEnd end) {
  switch (end) {
    case RunEnd::kCompleted:
      return v1::Run::COMPLETED;
    case RunEnd::kFailed:
      return v1::Run::FAILED;
    case RunEnd::kStopped:
      return v1::Run::STOPPED;
  }
  return v1::Run::STATE_UNSPECIFIED;
}

}  // namespace curvecast
