#include "client/cli/flags/flag_replay.h"

#include <algorithm>
#include <utility>

#include "client/cli/picture/rates.h"
#include "client/cli/replay.h"
#include "client/import/run_file.h"
#include "core/engine/engine.h"
#include "core/engine/leaning.h"
#include "daemon/convert/run_convert.h"

namespace curvecast {
namespace {

// Batches are so small that each per cent of progress is seen by itself.
constexpr size_t kBatchesAtLeast = 250;
constexpr size_t kMostPictured = 4096;  // Points of a picture's curve.

absl::StatusOr<BatchAppended> ToBatch(const v1::Batch& proto, uint64_t incarnation) {
  BatchAppended batch;
  batch.incarnation = incarnation;
  batch.sequence = proto.sequence();
  for (const v1::Points& points : proto.points()) {
    absl::StatusOr<Column> column = ToColumn(points);
    if (!column.ok()) return column.status();
    batch.columns.push_back(*std::move(column));
  }
  if (proto.has_end()) {
    const absl::StatusOr<RunState> end = ToEnd(proto.end());
    if (!end.ok()) return end.status();
    batch.end = *end;
  }
  return batch;
}

// The daemon's loop without its threads: an event is applied, then what it says of flags, then a forecast if one is
// due.
class Replayer {
 public:
  Replayer(const RunSpec& spec, const Prior& prior, const WatchOptions& watch, std::shared_ptr<const ProjectPast> past)
      : spec_(spec), prior_(prior), past_(std::move(past)), engine_(prior, watch, past_) {}

  absl::Status Open(const ReplayLife& life, uint64_t incarnation) {
    return Apply(RunOpened{spec_, "", incarnation, life.resume_step});
  }

  absl::Status Append(const v1::Batch& proto, uint64_t incarnation) {
    absl::StatusOr<BatchAppended> batch = ToBatch(proto, incarnation);
    if (!batch.ok()) return batch.status();
    const bool ends = batch->end.has_value();
    if (absl::Status status = Apply(*std::move(batch)); !status.ok()) return status;
    return ends ? absl::OkStatus() : ForecastIfDue();
  }

  const Run* run() const { return engine_.Find(spec_.key); }
  const Forecast& newest() const { return newest_; }

 private:
  template <typename Body>
  absl::Status Apply(Body body) {
    absl::StatusOr<Engine::Effect> effect = engine_.Apply({.key = spec_.key, .body = std::move(body)});
    if (!effect.ok()) return effect.status();
    for (FlagChange& change : effect->flag_changes) {
      const auto applied = engine_.Apply({.key = spec_.key, .body = FlagChanged{std::move(change)}});
      if (!applied.ok()) return applied.status();
    }
    return absl::OkStatus();
  }

  absl::Status ForecastIfDue() {
    const Curve& curve = run()->objective();
    Forecast due;
    due.progress = run()->Progress();
    if (curve.empty() || !run()->AtCheckpoint(due)) return absl::OkStatus();
    const RunPlan planned = PlanRun(spec_, curve.last_step(), run()->LoggedRates());
    // What the past says hangs on the plan alone, which moves only where it is inferred.
    if (!leaning_ || !spec_.schedule)
      leaning_ = LeanOnPast(past_.get(), spec_, planned.plan, curve.last_step(), prior_);
    newest_ = MakeForecast(curve, planned.plan, prior_, *leaning_);
    return Apply(ForecastMade{newest_});
  }

  const RunSpec& spec_;
  const Prior& prior_;
  const std::shared_ptr<const ProjectPast> past_;  // Null: none.
  Engine engine_;
  std::optional<Leaning> leaning_;
  Forecast newest_;
};

std::vector<PicturePoint> PictureCurve(const v1::Points& points) {
  std::vector<PicturePoint> curve;
  const int stride = std::max(1, points.step_size() / static_cast<int>(kMostPictured));
  for (int i = 0; i < points.step_size(); ++i) {
    const bool kept = i % stride == 0 || !(points.value(i) - points.value(i) == 0);  // All that is not finite.
    if (kept) curve.push_back({static_cast<double>(points.step(i)), points.value(i), 0});
  }
  return curve;
}

RunPicture Draw(const ReadRun& read, const Run& run, const Forecast& newest) {
  const RunSpec& spec = run.spec();
  RunPicture picture;
  picture.name = spec.key.project + "/" + spec.key.run_id;
  picture.facts = {"replayed from its file"};
  picture.metric = spec.objective;
  if (spec.total_steps) picture.total_steps = static_cast<double>(*spec.total_steps);
  picture.curve = PictureCurve(SurvivingPoints(read, spec.objective));
  for (const Forecast& forecast : run.history()) {
    if (!forecast.answered()) continue;
    const double step = static_cast<double>(forecast.step);
    picture.expected.push_back({step, forecast.expected_value, 0});
    picture.past_forecasts.push_back({step, forecast.median(), 0});
  }
  for (const PathPoint& point : newest.path) {
    picture.forecast.push_back({static_cast<double>(point.step), point.p05, point.p50, point.p95});
  }
  if (spec.schedule) picture.schedule = RatesOf(*spec.schedule, spec.total_steps);
  for (const BookedFlag& booked : *run.flags().flags()) {
    picture.flags.push_back({booked.number, booked.flag, Describe(booked.flag), ""});
  }
  return picture;
}

}  // namespace

absl::StatusOr<FlagReplay> ReplayFlagsOf(const std::string& path, const Prior& prior,
                                         const FlagReplayOptions& options) {
  const absl::StatusOr<ReadRun> read = ReadRunFile(path);
  if (!read.ok()) return read.status();
  absl::StatusOr<RunSpec> spec = ToRunSpec(read->run);
  if (!spec.ok()) return spec.status();
  FlagReplay replay{.spec = *std::move(spec), .flags = {}, .fault = read->error, .picture = {}};
  const auto past = options.pasts.find(PastKeyOf(replay.spec));
  Replayer replayer(replay.spec, prior, options.watch, past != options.pasts.end() ? past->second : nullptr);
  uint64_t incarnation = 0;
  for (const ReplayLife& life : ToReplay(*read, std::max<size_t>(1, read->points / kBatchesAtLeast))) {
    ++incarnation;
    if (absl::Status status = replayer.Open(life, incarnation); !status.ok()) return status;
    for (const v1::Batch& batch : life.batches) {
      if (absl::Status status = replayer.Append(batch, incarnation); !status.ok()) return status;
    }
  }
  replay.flags = *replayer.run()->flags().flags();
  if (options.picture) replay.picture = Draw(*read, *replayer.run(), replayer.newest());
  return replay;
}

}  // namespace curvecast
