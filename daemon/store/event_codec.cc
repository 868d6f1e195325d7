#include "daemon/store/event_codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/base/check.h"
#include "curvecast/v1/journal.pb.h"
#include "daemon/convert/run_convert.h"
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
  for (const Column& column : batch.columns) *proto.add_points() = ToProto(column);
  if (batch.end) proto.mutable_end()->set_state(ToProto(*batch.end));
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
  forecast.leaned = {proto.relatives(), proto.siblings(), proto.interval_factor()};
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

}  // namespace curvecast
