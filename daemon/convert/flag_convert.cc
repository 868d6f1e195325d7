#include "daemon/convert/flag_convert.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/engine/run_spec.h"
#include "google/protobuf/util/time_util.h"

namespace curvecast {
namespace {

// The numbers of these enums are those of core.
v1::Flag::Kind ToProto(FlagKind kind) { return static_cast<v1::Flag::Kind>(kind); }
v1::Flag::Resolution ToProto(Resolution resolution) { return static_cast<v1::Flag::Resolution>(resolution); }

// Numbers are append only, so one past the last we know comes from a newer curvecast.
absl::Status Unknown(std::string_view field, int number) {
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(field), ": is ", number, ", which is unknown to this version"));
}

absl::Status CheckStep(std::string_view field, int64_t step) {
  if (step >= 0 && step <= kMaxStep) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(std::string(field), ": is ", step, "; steps are 0 to 2^53"));
}

absl::Status Check(const v1::Flag& flag) {
  if (!v1::Flag::Kind_IsValid(flag.kind()) || flag.kind() == v1::Flag::KIND_UNSPECIFIED) {
    return Unknown("kind", flag.kind());
  }
  if (!v1::Flag::Severity_IsValid(flag.severity()) || flag.severity() == v1::Flag::SEVERITY_UNSPECIFIED) {
    return Unknown("severity", flag.severity());
  }
  if (!v1::Flag::Resolution_IsValid(flag.resolution())) return Unknown("resolution", flag.resolution());
  if (!IsMetricName(flag.metric())) {
    return absl::InvalidArgumentError(
        absl::StrCat("metric: is \"", flag.metric().substr(0, 80), "\", no metric's name"));
  }
  absl::Status status = CheckStep("began_step", flag.began_step());
  if (status.ok()) status = CheckStep("raised_at_step", flag.raised_at_step());
  if (status.ok()) status = CheckStep("updated_at_step", flag.updated_at_step());
  return status;
}

google::protobuf::Timestamp ToTimestamp(int64_t unix_micros) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(unix_micros);
}

}  // namespace

v1::Flag::Severity ToProto(Severity severity) { return static_cast<v1::Flag::Severity>(severity); }

v1::Flag ToProto(const Flag& flag) {
  v1::Flag proto;
  proto.set_kind(ToProto(flag.kind));
  proto.set_severity(ToProto(flag.severity));
  proto.set_metric(flag.metric);
  proto.set_began_step(flag.began_step);
  proto.set_raised_at_step(flag.raised_step);
  proto.set_updated_at_step(flag.updated_step);
  proto.set_resolution(ToProto(flag.resolution));
  v1::Flag::Evidence& evidence = *proto.mutable_evidence();
  evidence.set_statistic(flag.evidence.statistic);
  evidence.set_threshold(flag.evidence.threshold);
  evidence.set_expected(flag.evidence.expected);
  evidence.set_seen(flag.evidence.seen);
  evidence.set_sigma(flag.evidence.sigma);
  evidence.set_points(flag.evidence.points);
  evidence.set_share(flag.evidence.share);
  evidence.set_mean_points_between_false_alarms(flag.evidence.mean_points_between_false_alarms);
  return proto;
}

absl::StatusOr<Flag> ToFlag(const v1::Flag& proto) {
  if (absl::Status status = Check(proto); !status.ok()) return status;
  Flag flag;
  flag.kind = static_cast<FlagKind>(proto.kind());
  flag.severity = static_cast<Severity>(proto.severity());
  flag.metric = proto.metric();
  flag.began_step = proto.began_step();
  flag.raised_step = proto.raised_at_step();
  flag.updated_step = proto.updated_at_step();
  flag.resolution = static_cast<Resolution>(proto.resolution());
  const v1::Flag::Evidence& evidence = proto.evidence();
  flag.evidence.statistic = evidence.statistic();
  flag.evidence.threshold = evidence.threshold();
  flag.evidence.expected = evidence.expected();
  flag.evidence.seen = evidence.seen();
  flag.evidence.sigma = evidence.sigma();
  flag.evidence.points = evidence.points();
  flag.evidence.share = evidence.share();
  flag.evidence.mean_points_between_false_alarms = evidence.mean_points_between_false_alarms();
  return flag;
}

v1::Flag ToProto(const BookedFlag& booked) {
  v1::Flag proto = ToProto(booked.flag);
  proto.set_number(booked.number);
  proto.set_sentence(Describe(booked.flag));
  *proto.mutable_raised_at() = ToTimestamp(booked.raised_at);
  *proto.mutable_updated_at() = ToTimestamp(booked.updated_at);
  if (booked.acknowledged_at != 0) *proto.mutable_acknowledged_at() = ToTimestamp(booked.acknowledged_at);
  proto.set_acknowledged_by(booked.acknowledged_by);
  if (booked.silenced_until != 0) *proto.mutable_silenced_until() = ToTimestamp(booked.silenced_until);
  proto.set_silenced_by(booked.silenced_by);
  proto.set_note(booked.note);
  return proto;
}

}  // namespace curvecast
