#include "tests/contract/sample_events.h"

#include <limits>
#include <utility>

namespace curvecast {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t kMaxUint64 = std::numeric_limits<uint64_t>::max();

const RunKey kPlain{"demo", "plain"};
const RunKey kFull{"Demo_2", "full.run-1+a"};

Event Make(int64_t time, const RunKey& key, decltype(Event::body) body) { return Event{time, key, std::move(body)}; }

RunOpened OpenPlain() {
  RunOpened opened;
  opened.spec.key = kPlain;
  opened.spec.family = "demo";
  opened.spec.objective = "train/loss";
  return opened;
}

RunOpened OpenFull() {
  RunOpened opened;
  RunSpec& spec = opened.spec;
  spec.key = kFull;
  spec.family = "Demo_2/242M/40B";
  spec.objective = "eval/accuracy";
  spec.maximize = true;
  spec.total_steps = kMaxStep;
  spec.parameters = 241517568;
  spec.tokens_per_step = 0.5;
  spec.schedule = ScheduleSpec{0.011, 1e-5, 2000, Decay::kOneMinusSqrt, 3000, {}, {}};
  spec.labels = {{"dataset", "größer"}, {"optimizer", "adamw"}};
  opened.writer = "rank3";
  opened.incarnation = kMaxUint64;
  opened.resume_step = 0;
  return opened;
}

RunOpened OpenWithKnots() {
  RunOpened opened = OpenPlain();
  opened.incarnation = 2;
  opened.resume_step = 81;
  opened.spec.schedule = ScheduleSpec{0, 0, 0, Decay::kNone, 0, {0, 100, 4000}, {0, 1e-3, 1e-4}};
  return opened;
}

BatchAppended OddValues() {
  BatchAppended batch;
  batch.writer = "rank3";
  batch.incarnation = kMaxUint64;
  batch.sequence = kMaxUint64;
  batch.columns.push_back(
      {"eval/accuracy", {0, kMaxStep, 5, 5, 6, 7}, {-0.0, 5e-324, kNan, kInfinity, -kInfinity, 1e308}});
  batch.columns.push_back({"lr", {}, {}});
  batch.end = RunState::kStopped;
  return batch;
}

BatchAppended OnlyTheEnd(RunState end) {
  BatchAppended batch;
  batch.sequence = 2;
  batch.end = end;
  return batch;
}

ForecastMade Answered() {
  Forecast forecast;
  forecast.reason = NotYet::kAnswered;
  forecast.step = 4000;
  forecast.progress = 0.4;
  forecast.quantiles = {2.1, 2.2, 2.3, 2.4, 2.5};
  forecast.expected_value = 2.7;
  return {forecast};
}

ForecastMade NotAnswered() {
  Forecast forecast;
  forecast.reason = NotYet::kUnsupported;
  forecast.step = 3;
  return {forecast};
}

}  // namespace

std::vector<Event> EventsOfEveryKind() {
  return {Make(1'700'000'000'000'000, kPlain, OpenPlain()),
          BatchOf(1, 0, 200),
          Make(-1, kFull, OpenFull()),
          Make(0, kFull, OddValues()),
          Make(std::numeric_limits<int64_t>::max(), kPlain, Answered()),
          Make(7, kFull, NotAnswered()),
          Make(8, kPlain, OpenWithKnots()),
          Make(9, kPlain, OnlyTheEnd(RunState::kCompleted)),
          Make(10, kFull, OnlyTheEnd(RunState::kFailed)),
          BatchOf(3, 200, 3000)};
}

Event BatchOf(uint64_t sequence, Step first_step, size_t points) {
  BatchAppended batch;
  batch.sequence = sequence;
  Column column{"train/loss", {}, {}};
  for (size_t i = 0; i < points; ++i) {
    const Step step = first_step + static_cast<Step>(i);
    column.steps.push_back(step);
    column.values.push_back(2 + 8 / (1 + 0.01 * static_cast<double>(step)));
  }
  batch.columns.push_back(std::move(column));
  return Make(1'700'000'000'000'000 + static_cast<int64_t>(sequence), kPlain, std::move(batch));
}

RunKey FinishedRunKey() { return kPlain; }

std::vector<Event> FinishedRun(size_t batches) {
  RunOpened opened = OpenPlain();
  opened.spec.total_steps = static_cast<Step>(200 * batches);
  RunOpened other = OpenPlain();
  other.spec.key = {"demo", "other"};
  std::vector<Event> events = {Make(1, kPlain, opened), Make(2, other.spec.key, other)};
  for (size_t i = 0; i < batches; ++i) {
    events.push_back(BatchOf(i + 1, static_cast<Step>(200 * i), 200));
    Event beside = BatchOf(i + 1, static_cast<Step>(i), 1);
    beside.key = other.spec.key;
    events.push_back(std::move(beside));
    if (i % 4 != 2) continue;
    ForecastMade made = Answered();
    made.forecast.step = static_cast<Step>(200 * i);
    events.push_back(Make(3, kPlain, made));
  }
  FlagChanged raised;
  raised.change.flag.kind = FlagKind::kSpike;
  raised.change.flag.metric = "train/loss";
  events.push_back(Make(4, kPlain, raised));
  BatchAppended end = OnlyTheEnd(RunState::kCompleted);
  end.sequence = batches + 1;
  events.push_back(Make(5, kPlain, end));
  return events;
}

}  // namespace curvecast
