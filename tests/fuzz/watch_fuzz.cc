// Any bytes as a plan, points of several metrics, rewinds, new plans, forecasts and pauses of a run that is watched.
// Whatever they are: a flag is raised when it is not up, and changed or resolved only when it is; began <= raised <=
// updated; what a test compared is finite (of a value that is no number, `seen` and `expected` are not); what is active
// is what was raised and not resolved; the run's end resolves all; and the same calls give the same changes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/watch/watch.h"

namespace {

using curvecast::Curve;
using curvecast::Decay;
using curvecast::Flag;
using curvecast::FlagChange;
using curvecast::FlagKind;
using curvecast::Forecast;
using curvecast::LrSchedule;
using curvecast::Plan;
using curvecast::Prior;
using curvecast::ScheduleSpec;
using curvecast::Step;
using curvecast::Watch;

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  template <typename T>
  T Take() {
    T value{};
    const size_t n = std::min(sizeof value, left_);
    std::memcpy(&value, data_, n);
    data_ += n;
    left_ -= n;
    return value;
  }
  size_t left() const { return left_; }

 private:
  const uint8_t* data_;
  size_t left_;
};

// Mostly of the size of losses, at times any bits at all.
double TakeValue(Bytes& bytes) {
  const uint8_t kind = bytes.Take<uint8_t>();
  if (kind < 16) return bytes.Take<double>();
  const double part = bytes.Take<uint16_t>() / 65536.0;
  if (kind < 32) return std::exp(1400 * (part - 0.5));
  return 2 + (kind < 128 ? 0.1 : 10) * part;
}

Step TakeTotal(Bytes& bytes) {
  const uint8_t kind = bytes.Take<uint8_t>();
  if (kind < 32) return static_cast<Step>(bytes.Take<uint64_t>() & ((uint64_t{1} << 53) - 1));
  return 1 + bytes.Take<uint16_t>();
}

std::optional<LrSchedule> TakeSchedule(Bytes& bytes, Step total) {
  const uint8_t kind = bytes.Take<uint8_t>();
  if (kind % 4 == 0) return std::nullopt;
  ScheduleSpec spec;
  spec.peak_lr = kind < 16 ? bytes.Take<double>() : 1e-3;
  if (kind % 4 == 1) {
    Step step = 0;
    for (int k = kind % 7; k >= 0; --k) {
      spec.knot_steps.push_back(step);
      spec.knot_lrs.push_back(kind < 64 ? bytes.Take<double>() : bytes.Take<uint8_t>() / 255.0);
      step += 1 + bytes.Take<uint16_t>();
    }
  } else {
    spec.warmup_steps = bytes.Take<uint16_t>();
    spec.decay = static_cast<Decay>(bytes.Take<uint8_t>() % 5);
    spec.decay_start_step = bytes.Take<uint16_t>();
    spec.final_lr = spec.peak_lr * bytes.Take<uint8_t>() / 255;
  }
  absl::StatusOr<LrSchedule> schedule = LrSchedule::Create(spec, total);
  return schedule.ok() ? std::optional<LrSchedule>(*std::move(schedule)) : std::nullopt;
}

Plan TakePlan(Bytes& bytes) {
  Plan plan;
  const uint8_t has = bytes.Take<uint8_t>();
  if (has != 0) plan.total_steps = TakeTotal(bytes);
  plan.schedule = TakeSchedule(bytes, plan.total_steps.value_or(1000));
  if ((has & 1) != 0) plan.parameters = bytes.Take<double>();
  if ((has & 2) != 0) plan.tokens_per_step = (has & 4) != 0 ? bytes.Take<double>() : 5e5;
  plan.maximize = has % 16 == 15;
  return plan;
}

constexpr std::array<const char*, 5> kMetrics = {"train/loss", "eval/loss", "grad_norm", "lr", "accuracy"};

Forecast TakeForecast(Bytes& bytes, Step newest) {
  Forecast f;
  f.reason = bytes.Take<uint8_t>() < 240 ? curvecast::NotYet::kAnswered : curvecast::NotYet::kNotFalling;
  f.step = newest;
  f.progress = bytes.Take<uint8_t>() / 200.0;
  for (double& q : f.quantiles) q = 2 + bytes.Take<uint8_t>() / 64.0;
  std::sort(f.quantiles.begin(), f.quantiles.end());
  f.expected_value = f.quantiles[2];
  f.leaned.relatives = bytes.Take<uint8_t>() % 3;
  f.leaned.deviation = bytes.Take<int8_t>() / 8.0;
  f.leaned.expected = 2;
  return f;
}

// The run's flags, as a reader of the changes has them.
class Reader {
 public:
  void Read(const std::vector<FlagChange>& changes) {
    for (const FlagChange& change : changes) {
      const Flag& flag = change.flag;
      CURVECAST_CHECK(flag.began_step >= 0 && flag.began_step <= flag.raised_step);
      CURVECAST_CHECK(flag.raised_step <= flag.updated_step);
      CURVECAST_CHECK(std::isfinite(flag.evidence.statistic) && std::isfinite(flag.evidence.threshold));
      CURVECAST_CHECK(std::isfinite(flag.evidence.sigma) && flag.evidence.points >= 0);
      const std::pair<FlagKind, std::string> place(flag.kind, flag.metric);
      const bool raised = change.what == FlagChange::What::kRaised, up = up_.contains(place);
      CURVECAST_CHECK(raised != up);
      CURVECAST_CHECK(flag.active() == (change.what != FlagChange::What::kResolved));
      if (raised) CURVECAST_CHECK(flag.evidence.statistic >= flag.evidence.threshold);
      if (up) CURVECAST_CHECK(up_[place].raised_step == flag.raised_step);
      if (flag.active()) {
        up_[place] = flag;
      } else {
        up_.erase(place);
      }
    }
  }
  void Compare(const std::vector<Flag>& active) const {
    CURVECAST_CHECK(active.size() == up_.size());
    for (const Flag& flag : active) CURVECAST_CHECK(up_.contains({flag.kind, flag.metric}));
  }

 private:
  std::map<std::pair<FlagKind, std::string>, Flag> up_;
};

// All that was said, in words: a NaN is not equal to itself.
std::string Play(Bytes bytes) {
  Plan plan = TakePlan(bytes);
  const std::string objective = plan.maximize ? "accuracy" : "train/loss";
  curvecast::WatchOptions options;
  options.mean_points_between_false_alarms = 1e4 * (1 + bytes.Take<uint8_t>());
  Watch watch(options, Prior::Shipped(), {objective, plan});
  std::map<std::string, Curve> curves;
  std::map<std::string, Step> at;
  Reader reader;
  std::string said;
  int64_t now = 1'700'000'000'000'000;
  const auto tell = [&] {
    const std::vector<FlagChange> changes = watch.TakeChanges();
    reader.Read(changes);
    for (const FlagChange& change : changes) {
      said += std::to_string(static_cast<int>(change.what)) + " " + Describe(change.flag) + "\n";
    }
    reader.Compare(watch.active());
    CURVECAST_CHECK(!watch.deviation_sigma() || std::isfinite(*watch.deviation_sigma()));
  };
  for (int ops = 0; bytes.left() > 0 && ops < 2000; ++ops) {
    const uint8_t op = bytes.Take<uint8_t>();
    const std::string metric = op < 200 ? objective : kMetrics[op % kMetrics.size()];
    Curve& curve = curves[metric];
    if (op < 240) {
      Step& step = at[metric];
      const uint8_t gap = bytes.Take<uint8_t>();
      if (gap < 240) step += 1 + gap / 16;
      if (gap == 255) step = std::min(step * 3 + 1, curvecast::kMaxStep);
      if (gap == 254) step /= 2;
      // Many points alike, so that few bytes are a long run.
      const double value = TakeValue(bytes);
      for (int i = op % 8 == 7 ? 40 : 1; i > 0; --i) {
        const double wave = 1 + 1e-3 * static_cast<double>((step * 7919) % 13);
        curve.Add(step, value * wave);
        watch.Add(metric, step, value * wave, curve);
        if (i > 1) step = std::min(step + 1, curvecast::kMaxStep);
      }
    } else if (op < 244) {
      const Step from = at[metric] * bytes.Take<uint8_t>() / 255;
      curve.Rewind(from);
      watch.Rewound(metric, from, curve);
      at[metric] = curve.last_step();
    } else if (op < 248) {
      watch.Take(TakeForecast(bytes, curves[objective].last_step()));
    } else if (op == 248) {
      const bool maximize = plan.maximize;
      plan = TakePlan(bytes);
      plan.maximize = maximize;
      watch.Declare({objective, plan}, curves[objective]);
    } else {
      now += int64_t{bytes.Take<uint16_t>()} * 10'000;
      if (op == 249) watch.Tick(now);
      if (op == 250) watch.Restarted();
      if (op == 251) watch.Began("eval", now, bytes.Take<uint8_t>());
      if (op > 251) watch.Arrived(op == 255 ? 0 : now, op % 3);
    }
    tell();
  }
  watch.Ended();
  tell();
  CURVECAST_CHECK(watch.active().empty());
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  CURVECAST_CHECK(Play(bytes) == Play(bytes));
  return 0;
}
