#include "daemon/store/event_codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "curvecast/v1/journal.pb.h"
#include "daemon/convert/flag_convert.h"
#include "daemon/convert/run_convert.h"
#include "daemon/store/kept_codec.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

void Fill(const RunOpened& opened, v1::RunOpened& proto) {
  *proto.mutable_run() = ToProto(opened.spec);
  proto.set_writer(opened.writer);
  proto.set_incarnation(opened.incarnation);
  if (opened.resume_step) proto.set_resume_step(*opened.resume_step);
}

void Fill(const BatchAppended& batch, v1::BatchAppended& proto) {
  proto.set_writer(batch.writer);
  proto.set_incarnation(batch.incarnation);
  proto.set_sequence(batch.sequence);
  for (const Column& column : batch.columns) Fill(column, *proto.add_points());
  if (batch.end) proto.mutable_end()->set_state(ToProto(*batch.end));
  if (batch.phase) *proto.mutable_phase() = ToProto(*batch.phase);
}

void Fill(const ForecastMade& made, v1::ForecastMade& proto) {
  const Forecast& forecast = made.forecast;
  proto.set_step(forecast.step);
  proto.set_progress(forecast.progress);
  proto.set_expected_value(forecast.expected_value);
  proto.set_not_yet_reason(static_cast<int>(forecast.reason));
  if (!forecast.answered()) return;
  for (const double quantile : forecast.quantiles) proto.add_quantiles(quantile);
  proto.set_relatives(forecast.leaned.relatives);
  proto.set_siblings(forecast.leaned.siblings);
  proto.set_interval_factor(forecast.leaned.factor);
  proto.set_family_deviation(forecast.leaned.deviation);
  proto.set_family_expected(forecast.leaned.expected);
}

void Fill(const FlagChanged& changed, v1::FlagChanged& proto) {
  proto.set_what(static_cast<v1::FlagChanged::What>(changed.change.what));  // The numbers are those of core.
  *proto.mutable_flag() = ToProto(changed.change.flag);
}

void Fill(const FlagHandled& handled, v1::FlagHandled& proto) {
  proto.set_number(handled.number);
  proto.set_by(handled.by);
  proto.set_note(handled.note);
  if (handled.silenced_until) proto.set_silenced_until_unix_micros(*handled.silenced_until);
}

absl::Status Damaged(std::string_view what) { return absl::DataLossError(std::string(what)); }

absl::Status Damaged(const absl::Status& why) { return absl::DataLossError(why.message()); }

absl::StatusOr<RunOpened> Read(const v1::RunOpened& proto) {
  absl::StatusOr<RunSpec> spec = ToRunSpec(proto.run());
  if (!spec.ok()) return Damaged(spec.status());
  RunOpened opened;
  opened.spec = *std::move(spec);
  opened.writer = proto.writer();
  opened.incarnation = proto.incarnation();
  if (proto.has_resume_step()) opened.resume_step = proto.resume_step();
  return opened;
}

absl::StatusOr<BatchAppended> Read(const v1::BatchAppended& proto) {
  BatchAppended batch;
  batch.writer = proto.writer();
  batch.incarnation = proto.incarnation();
  batch.sequence = proto.sequence();
  batch.columns.reserve(static_cast<size_t>(proto.points_size()));
  for (const v1::Points& points : proto.points()) {
    absl::StatusOr<Column> column = ToColumn(points);
    if (!column.ok()) return Damaged(column.status());
    batch.columns.push_back(*std::move(column));
  }
  if (proto.has_end()) {
    absl::StatusOr<RunState> end = ToEnd(proto.end());
    if (!end.ok()) return Damaged(end.status());
    batch.end = *end;
  }
  if (proto.has_phase()) {
    absl::StatusOr<Phase> phase = ToPhase(proto.phase());
    if (!phase.ok()) return Damaged(absl::StrCat("phase.", phase.status().message()));
    batch.phase = *std::move(phase);
  }
  return batch;
}

// Numbers of reasons are append only, so one past the last we know comes from a newer curvecast.
absl::StatusOr<NotYet> ReadReason(int number) {
  const auto reason = static_cast<NotYet>(number);
  switch (reason) {
    case NotYet::kAnswered:
    case NotYet::kTooFewPoints:
    case NotYet::kWarmup:
    case NotYet::kNoPlan:
    case NotYet::kNotFalling:
    case NotYet::kNonFinite:
    case NotYet::kOutsideLaw:
    case NotYet::kUnsupported:
    case NotYet::kTooSteep:
    case NotYet::kOffLaw:
      return reason;
  }
  return Damaged(fmt::format("not_yet_reason: {} is unknown to this version", number));
}

absl::StatusOr<ForecastMade> Read(const v1::ForecastMade& proto) {
  absl::StatusOr<NotYet> reason = ReadReason(proto.not_yet_reason());
  if (!reason.ok()) return reason.status();
  Forecast forecast;
  forecast.reason = *reason;
  forecast.step = proto.step();
  forecast.progress = proto.progress();
  forecast.expected_value = proto.expected_value();
  const size_t expected = forecast.answered() ? forecast.quantiles.size() : 0;
  if (static_cast<size_t>(proto.quantiles_size()) != expected) {
    return Damaged(fmt::format("quantiles: {} values where {} belong", proto.quantiles_size(), expected));
  }
  for (size_t i = 0; i < expected; ++i) forecast.quantiles[i] = proto.quantiles(static_cast<int>(i));
  forecast.leaned = {.relatives = proto.relatives(),
                     .siblings = proto.siblings(),
                     .factor = proto.interval_factor(),
                     .deviation = proto.family_deviation(),
                     .expected = proto.family_expected()};
  const LeanedOn& leaned = forecast.leaned;
  if (leaned.siblings < 0 || leaned.relatives < leaned.siblings ||
      !(leaned.factor >= 0 && std::isfinite(leaned.factor))) {
    return Damaged(
        fmt::format("relatives {}, siblings {}, interval_factor {}: not 0 <= siblings <= relatives and a "
                    "finite factor",
                    leaned.relatives, leaned.siblings, leaned.factor));
  }
  return ForecastMade{std::move(forecast)};
}

absl::StatusOr<FlagChanged> Read(const v1::FlagChanged& proto) {
  if (!v1::FlagChanged::What_IsValid(proto.what()) || proto.what() == v1::FlagChanged::WHAT_UNSPECIFIED) {
    return Damaged(fmt::format("what: is {}, which is unknown to this version", static_cast<int>(proto.what())));
  }
  absl::StatusOr<Flag> flag = ToFlag(proto.flag());
  if (!flag.ok()) return Damaged(absl::StrCat("flag.", flag.status().message()));
  if ((proto.what() == v1::FlagChanged::RESOLVED) == flag->active()) {
    return Damaged(fmt::format("flag.resolution: is {} of a flag that was {}", NameOf(flag->resolution),
                               v1::FlagChanged::What_Name(proto.what())));
  }
  return FlagChanged{{static_cast<FlagChange::What>(proto.what()), *std::move(flag)}};
}

absl::StatusOr<FlagHandled> Read(const v1::FlagHandled& proto) {
  if (proto.number() < 1) return Damaged(fmt::format("number: is {}; flags are counted from 1", proto.number()));
  FlagHandled handled{proto.number(), proto.by(), proto.note(), std::nullopt};
  if (proto.has_silenced_until_unix_micros()) handled.silenced_until = proto.silenced_until_unix_micros();
  return handled;
}

using curvecast::Read;  // Of a CurveKept.

template <typename Proto>
absl::Status ReadInto(const Proto& proto, Event& event) {
  auto body = Read(proto);
  if (!body.ok()) return body.status();
  event.body = *std::move(body);
  return absl::OkStatus();
}

absl::Status ReadBody(const v1::JournalEvent& proto, Event& event) {
  switch (proto.event_case()) {
    case v1::JournalEvent::kRunOpened:
      return ReadInto(proto.run_opened(), event);
    case v1::JournalEvent::kBatchAppended:
      return ReadInto(proto.batch_appended(), event);
    case v1::JournalEvent::kForecastMade:
      return ReadInto(proto.forecast_made(), event);
    case v1::JournalEvent::kFlagChanged:
      return ReadInto(proto.flag_changed(), event);
    case v1::JournalEvent::kFlagHandled:
      return ReadInto(proto.flag_handled(), event);
    case v1::JournalEvent::kCurveKept:
      return ReadInto(proto.curve_kept(), event);
    case v1::JournalEvent::kRunEvicted:
      event.body = RunEvicted{proto.run_evicted().ended_unix_micros()};
      return absl::OkStatus();
    case v1::JournalEvent::EVENT_NOT_SET:
      break;
  }
  return Damaged("an event of no kind that this version knows");
}

}  // namespace

std::string EncodeEvent(const Event& event) {
  v1::JournalEvent proto;
  proto.set_time_unix_micros(event.time_unix_micros);
  proto.set_project(event.key.project);
  proto.set_run_id(event.key.run_id);
  if (const auto* opened = std::get_if<RunOpened>(&event.body)) Fill(*opened, *proto.mutable_run_opened());
  if (const auto* batch = std::get_if<BatchAppended>(&event.body)) Fill(*batch, *proto.mutable_batch_appended());
  if (const auto* made = std::get_if<ForecastMade>(&event.body)) Fill(*made, *proto.mutable_forecast_made());
  if (const auto* changed = std::get_if<FlagChanged>(&event.body)) Fill(*changed, *proto.mutable_flag_changed());
  if (const auto* handled = std::get_if<FlagHandled>(&event.body)) Fill(*handled, *proto.mutable_flag_handled());
  if (const auto* kept = std::get_if<CurveKept>(&event.body)) Fill(*kept, *proto.mutable_curve_kept());
  if (const auto* evicted = std::get_if<RunEvicted>(&event.body)) {
    proto.mutable_run_evicted()->set_ended_unix_micros(evicted->ended_at);
  }

  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);  // Labels are a map.
  CURVECAST_CHECK(proto.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

absl::StatusOr<Event> DecodeEvent(std::string_view bytes) {
  v1::JournalEvent proto;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Damaged("the bytes are no JournalEvent");
  }
  Event event{.time_unix_micros = proto.time_unix_micros(), .key = {proto.project(), proto.run_id()}, .body = {}};
  if (absl::Status status = ReadBody(proto, event); !status.ok()) return status;
  if (const auto* opened = std::get_if<RunOpened>(&event.body); opened != nullptr && !(opened->spec.key == event.key)) {
    return Damaged("run_opened.run: names another run than the event");
  }
  return event;
}

bool HoldsCurveKept(std::string_view bytes) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)));
  constexpr uint32_t kKept = v1::JournalEvent::kCurveKeptFieldNumber << 3 | 2;  // Of a length and bytes.
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == kKept) return true;
    if (!WireFormatLite::SkipField(&in, tag)) return false;
  }
  return false;
}

}  // namespace curvecast
