#include "daemon/store/kept_codec.h"

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/convert/run_convert.h"

namespace curvecast {
namespace {

absl::Status Damaged(std::string_view what) { return absl::DataLossError(std::string(what)); }

void Fill(const std::vector<Bin>& bins, v1::CurveKept::Bins& proto) {
  for (const Bin& bin : bins) {
    proto.add_first_step(bin.first_step);
    proto.add_steps(bin.last_step - bin.first_step);
    proto.add_count(bin.count);
    proto.add_mean(bin.mean);
    if (bin.count == 1) continue;
    proto.add_mean_step(bin.mean_step);
    proto.add_m2(bin.m2);
    proto.add_last_value(bin.last_value);
  }
}

// Their order and ranges are Curve's to judge.
std::optional<std::vector<Bin>> ReadBins(const v1::CurveKept::Bins& proto) {
  const int size = proto.first_step_size();
  if (proto.steps_size() != size || proto.count_size() != size || proto.mean_size() != size) return std::nullopt;
  std::vector<Bin> bins;
  int next = 0;  // Of those of more than one point.
  for (int i = 0; i < size; ++i) {
    const Step first = proto.first_step(i), steps = proto.steps(i);
    if (first < 0 || first > kMaxStep || steps < 0 || steps > kMaxStep) return std::nullopt;
    Bin bin{.first_step = first,
            .last_step = first + steps,
            .count = proto.count(i),
            .mean_step = static_cast<double>(first),
            .mean = proto.mean(i),
            .m2 = 0,
            .last_value = proto.mean(i)};
    if (bin.count != 1) {
      if (next >= proto.mean_step_size() || next >= proto.m2_size() || next >= proto.last_value_size()) {
        return std::nullopt;
      }
      bin.mean_step = proto.mean_step(next);
      bin.m2 = proto.m2(next);
      bin.last_value = proto.last_value(next++);
    }
    bins.push_back(bin);
  }
  if (next != proto.mean_step_size() || next != proto.m2_size() || next != proto.last_value_size()) return std::nullopt;
  return bins;
}

void Fill(const CurveKept::Series& series, v1::CurveKept::Series& proto) {
  const Curve::Parts parts = series.curve.parts();
  proto.set_metric(series.metric);
  proto.set_writer(series.writer);
  Fill(parts.bins, *proto.mutable_bins());
  for (const Curve::Span& span : parts.spans) {
    proto.add_span_first(span.first_step);
    proto.add_span_last(span.last_step);
    proto.add_span_count(span.count);
  }
  if (parts.last_step) proto.set_last_step(*parts.last_step);
  proto.set_last_value(parts.last_value);
}

absl::StatusOr<CurveKept::Series> Read(const v1::CurveKept::Series& proto) {
  Curve::Parts parts;
  std::optional<std::vector<Bin>> bins = ReadBins(proto.bins());
  const int spans = proto.span_first_size();
  if (!bins || proto.span_last_size() != spans || proto.span_count_size() != spans) {
    return Damaged(absl::StrCat("series: the columns of \"", proto.metric(), "\" are of different lengths"));
  }
  parts.bins = *std::move(bins);
  for (int i = 0; i < spans; ++i) {
    parts.spans.push_back({proto.span_first(i), proto.span_last(i), proto.span_count(i)});
  }
  if (proto.has_last_step()) parts.last_step = proto.last_step();
  parts.last_value = proto.last_value();
  std::optional<Curve> curve = Curve::FromParts(std::move(parts));
  if (!curve) return Damaged(absl::StrCat("series: no curve has such bins as \"", proto.metric(), "\""));
  if (!IsMetricName(proto.metric())) return Damaged("series.metric: is no name of a metric");
  return CurveKept::Series{proto.metric(), proto.writer(), *std::move(curve)};
}

void FillRows(const CurveKept& kept, v1::CurveKept& proto) {
  int64_t before = 0;
  for (const CurveKept::Rows& rows : kept.replaced) {
    proto.add_rows_skipped(rows.first - before - 1);
    proto.add_rows_replaced(rows.last - rows.first + 1);
    before = rows.last;
  }
}

absl::Status ReadRows(const v1::CurveKept& proto, CurveKept& kept) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 4;
  if (proto.rows_skipped_size() != proto.rows_replaced_size()) return Damaged("rows_replaced: is not as rows_skipped");
  int64_t before = 0;
  for (int i = 0; i < proto.rows_skipped_size(); ++i) {
    const int64_t skipped = proto.rows_skipped(i), replaced = proto.rows_replaced(i);
    if (skipped < 0 || skipped > kMost || replaced < 1 || replaced > kMost || before > kMost) {
      return Damaged("rows_replaced: are no rows of a journal");
    }
    kept.replaced.push_back({before + skipped + 1, before + skipped + replaced});
    before = kept.replaced.back().last;
  }
  return absl::OkStatus();
}

absl::StatusOr<RunState> ReadState(v1::Run::State state) {
  if (state == v1::Run::RUNNING) return RunState::kRunning;
  v1::End end;
  end.set_state(state);
  absl::StatusOr<RunState> ended = ToEnd(end);
  if (!ended.ok()) return Damaged("state: is unknown to this version");
  return ended;
}

// What consists of other things than numbers.
absl::Status ReadParts(const v1::CurveKept& proto, CurveKept& kept) {
  for (const v1::CurveKept::Writer& writer : proto.writers()) {
    kept.writers.push_back({writer.name(), writer.incarnation(), writer.last_sequence(), writer.rewind_pending(), {}});
    if (writer.has_resume_step()) kept.writers.back().resume_step = writer.resume_step();
  }
  for (const v1::CurveKept::Series& in : proto.series()) {
    absl::StatusOr<CurveKept::Series> series = Read(in);
    if (!series.ok()) return series.status();
    kept.series.push_back(*std::move(series));
  }
  for (const v1::CurveKept::Branch& branch : proto.branches()) {
    std::optional<std::vector<Bin>> bins = ReadBins(branch.bins());
    if (!bins) return Damaged("branches: columns of different lengths");
    kept.branches.push_back({branch.rewound_to(), *std::move(bins)});
  }
  if (!proto.has_phase()) return absl::OkStatus();
  absl::StatusOr<Phase> phase = ToPhase(proto.phase());
  if (!phase.ok()) return Damaged(absl::StrCat("phase.", std::string(phase.status().message())));
  kept.phase = *std::move(phase);
  return absl::OkStatus();
}

}  // namespace

void Fill(const CurveKept& kept, v1::CurveKept& proto) {
  for (const CurveKept::Writer& writer : kept.writers) {
    v1::CurveKept::Writer& out = *proto.add_writers();
    out.set_name(writer.name);
    out.set_incarnation(writer.incarnation);
    out.set_last_sequence(writer.last_sequence);
    out.set_rewind_pending(writer.rewind_pending);
    if (writer.resume_step) out.set_resume_step(*writer.resume_step);
  }
  for (const CurveKept::Series& series : kept.series) Fill(series, *proto.add_series());
  for (const Branch& branch : kept.branches) {
    v1::CurveKept::Branch& out = *proto.add_branches();
    out.set_rewound_to(branch.rewound_to);
    Fill(branch.bins, *out.mutable_bins());
  }
  for (const Step step : kept.rewinds) proto.add_rewinds(step);
  proto.set_rewind_count(kept.rewind_count);
  proto.set_state(ToProto(kept.state));
  proto.set_reopened(kept.reopened);
  proto.set_last_point_unix_micros(kept.last_point_at);
  proto.set_ended_unix_micros(kept.ended_at);
  if (kept.phase) *proto.mutable_phase() = ToProto(*kept.phase);
  proto.set_phase_began_unix_micros(kept.phase_began_at);
  for (const Step step : kept.forecast_steps) proto.add_forecast_steps(step);
  proto.set_shows_forecast(kept.shows_forecast);
  proto.set_settles(kept.settles);
  proto.set_batches(kept.batches);
  proto.set_points(kept.points);
  FillRows(kept, proto);
}

absl::StatusOr<CurveKept> Read(const v1::CurveKept& proto) {
  CurveKept kept;
  if (absl::Status status = ReadParts(proto, kept); !status.ok()) return status;
  kept.rewinds.assign(proto.rewinds().begin(), proto.rewinds().end());
  kept.rewind_count = proto.rewind_count();
  const absl::StatusOr<RunState> state = ReadState(proto.state());
  if (!state.ok()) return state.status();
  kept.state = *state;
  kept.reopened = proto.reopened();
  kept.last_point_at = proto.last_point_unix_micros();
  kept.ended_at = proto.ended_unix_micros();
  kept.phase_began_at = proto.phase_began_unix_micros();
  kept.forecast_steps.assign(proto.forecast_steps().begin(), proto.forecast_steps().end());
  kept.shows_forecast = proto.shows_forecast();
  kept.settles = proto.settles();
  kept.batches = proto.batches();
  kept.points = proto.points();
  if (absl::Status status = ReadRows(proto, kept); !status.ok()) return status;
  return kept;
}

}  // namespace curvecast
