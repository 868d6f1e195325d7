// Any bytes as a plan, a rate, a curve and a finished relative: a forecast of finite numbers in order, or a reason; and
// the same one twice.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/family/history.h"
#include "core/law/law.h"

namespace {

using curvecast::Curve;
using curvecast::Decay;
using curvecast::Forecast;
using curvecast::LrSchedule;
using curvecast::Plan;
using curvecast::Prior;
using curvecast::ScheduleSpec;
using curvecast::Step;

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

Curve TakeCurve(Bytes& bytes, Step total, size_t most) {
  Curve curve;
  const Step stride = std::max<Step>(1, total / 300);
  Step step = 0;
  while (bytes.left() > 0 && most-- > 0) {
    const uint8_t gap = bytes.Take<uint8_t>();
    step += (1 + gap / 8) * stride;
    if (gap == 255) step /= 2;
    if (gap == 254) curve.Rewind(step / 2);
    curve.Add(std::min(step, curvecast::kMaxStep), TakeValue(bytes));
  }
  return curve;
}

void Check(const Forecast& f) {
  CURVECAST_CHECK(std::isfinite(f.progress) && std::isfinite(f.expected_value));
  for (double q : f.quantiles) CURVECAST_CHECK(std::isfinite(q));
  CURVECAST_CHECK(std::is_sorted(f.quantiles.begin(), f.quantiles.end()));
  CURVECAST_CHECK(f.path.size() <= 33 && f.path.empty() != f.answered());
  for (const curvecast::PathPoint& p : f.path) {
    CURVECAST_CHECK(std::isfinite(p.p05) && std::isfinite(p.p95) && p.p05 <= p.p50 && p.p50 <= p.p95);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const Prior& prior = Prior::Shipped();
  curvecast::History history;
  const size_t relatives = bytes.Take<uint8_t>() % 4;
  for (size_t i = 0; i < relatives; ++i) {
    const Plan plan = TakePlan(bytes);
    const Curve curve = TakeCurve(bytes, plan.total_steps.value_or(1000), 40);
    std::optional<curvecast::Relative> relative =
        curvecast::MakeRelative({std::to_string(i), i == 1 ? "f" : "g", {}}, curve, plan, prior);
    if (relative.has_value()) history.Add(*std::move(relative));
  }
  const Plan plan = TakePlan(bytes);
  const Curve curve = TakeCurve(bytes, plan.total_steps.value_or(1000), 400);
  const std::optional<curvecast::Belief> kin = history.Lean({"run", "f", {}}, plan, curve.last_step(), prior, {});
  const curvecast::Lean lean{.kin = kin.has_value() ? &*kin : nullptr, .factors = nullptr};
  const Forecast f = ForecastEnd(curve, plan, prior, lean);
  Check(f);
  CURVECAST_CHECK(ForecastEnd(curve, plan, prior, lean).quantiles == f.quantiles);
  return 0;
}
