#include "core/schedule/infer_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/schedule/decay_fit.h"
#include "core/schedule/knot_list.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

// Shares of the peak.
constexpr double kSame = 1e-5;   // Rates that are the peak.
constexpr double kStill = 1e-4;  // Less of a fall than this is none.
constexpr double kRise = 1e-3;   // A rise of more after a fall is no noise.
constexpr double kSure = 1e-3;   // A final rate with a larger standard error is said to be "about" that.

constexpr size_t kFewest = 3;  // Rates at the peak, or at all.

std::vector<LoggedRate> RatesOf(const Curve& curve, double peak) {
  std::vector<LoggedRate> rates;
  for (const Bin& bin : curve.bins()) {
    const double n = static_cast<double>(bin.count), width = static_cast<double>(bin.last_step - bin.first_step);
    // Of n points at even distances.
    const double spread = bin.count > 1 ? width * std::sqrt((n + 1) / (12 * (n - 1))) : 0;
    rates.push_back({bin.mean_step, bin.mean / peak, spread});
  }
  return rates;
}

ScheduleSpec SoFar(const std::vector<LoggedRate>& rates, double peak) {
  KnotList knots;
  for (const LoggedRate& r : rates) knots.Add(r.step, r.rate * peak);
  return std::move(knots).Take();
}

// Its rates up to the peak as logged, then by the formula. Nothing if a schedule cannot hold it: rates near the ends of
// what a double is.
std::optional<ScheduleSpec> ScheduleOf(const DecayFit& fit, const std::vector<LoggedRate>& rates, size_t top,
                                       double peak, Step total) {
  KnotList knots;
  const double level = fit.level * peak;
  for (size_t i = 0; i < top; ++i) knots.Add(rates[i].step, std::min(rates[i].rate * peak, level));
  if (rates[top].step < fit.start) knots.Add(rates[top].step, level);
  const double end = static_cast<double>(total);
  const auto add = [&](double step) {
    knots.Add(step, std::max(0.0, fit.Model(fit.Fallen((step - fit.start) / (end - fit.start)))) * peak);
  };
  // Where the pieces lie that a declared decay would be cut into.
  const absl::StatusOr<LrSchedule> pieces =
      LrSchedule::Create({.peak_lr = level,
                          .final_lr = fit.final_rate * peak,
                          .decay = fit.decay,
                          .decay_start_step = static_cast<Step>(std::llround(fit.start))},
                         total);
  if (!pieces.ok()) return std::nullopt;
  add(std::max(std::round(fit.start), top == 0 ? 0 : std::round(rates[top - 1].step) + 1));
  for (const LrSchedule::Knot& k : pieces->knots()) add(std::round(k.step));
  return std::move(knots).Take();
}

// The rates are at their peak from `top` on and visibly below it from `fell` on.
struct Extent {
  size_t top = 0, fell = 0;
};

Extent ExtentOf(const std::vector<LoggedRate>& rates) {
  Extent extent{0, rates.size()};
  while (rates[extent.top].rate < 1 - kSame) ++extent.top;
  while (extent.fell > extent.top && rates[extent.fell - 1].rate < 1 - kStill) --extent.fell;
  return extent;
}

// kDecaying if they fall and never rise again, whatever the fall looks like.
RateShape ShapeOf(const std::vector<LoggedRate>& rates, const Extent& extent) {
  double highest = 0, lowest = 1;
  for (size_t i = 0; i < rates.size(); ++i) {
    const double rate = rates[i].rate;
    const bool falls_early = i < extent.top ? rate < highest - kRise : i < extent.fell && rate < 1 - kStill;
    const bool rises_late = i > extent.top && rate > lowest + kRise;
    if (falls_early || rises_late) return RateShape::kOther;
    highest = std::max(highest, rate);
    if (i >= extent.top) lowest = std::min(lowest, rate);
  }
  if (extent.fell < rates.size()) return RateShape::kDecaying;
  if (rates.size() - extent.top >= kFewest) return RateShape::kFlat;
  return extent.top > 0 ? RateShape::kWarmingUp : RateShape::kTooFew;
}

}  // namespace

InferredSchedule InferSchedule(const Curve& curve, std::optional<Step> total_steps) {
  InferredSchedule inferred;
  double peak = 0;
  for (const Bin& bin : curve.bins()) {
    if (bin.mean < 0) peak = std::numeric_limits<double>::infinity();
    peak = std::max(peak, bin.mean);
  }
  if (curve.bins().empty()) return inferred;
  if (!std::isnormal(peak)) {
    inferred.shape = RateShape::kNotARate;
    return inferred;
  }
  const std::vector<LoggedRate> rates = RatesOf(curve, peak);
  inferred.so_far = SoFar(rates, peak);
  if (!total_steps || rates.size() < kFewest) return inferred;
  if (curve.last_step() >= *total_steps) {
    inferred.shape = RateShape::kComplete;
    inferred.schedule = inferred.so_far;
    return inferred;
  }

  const Extent extent = ExtentOf(rates);
  inferred.shape = ShapeOf(rates, extent);
  inferred.peak_lr = peak;
  inferred.peak_step = static_cast<Step>(std::llround(rates[extent.top].step));
  if (inferred.shape != RateShape::kDecaying) return inferred;
  inferred.shape = RateShape::kOther;
  const std::optional<DecayFit> fit = FindDecay(rates, extent.top, extent.fell, static_cast<double>(*total_steps));
  if (!fit) return inferred;
  inferred.schedule = ScheduleOf(*fit, rates, extent.top, peak, *total_steps);
  if (!inferred.schedule) return inferred;
  inferred.shape = RateShape::kDecaying;
  inferred.decay = fit->decay;
  inferred.peak_lr = fit->level * peak;
  inferred.final_lr = fit->final_rate * peak;
  inferred.final_lr_sd = fit->final_sd * peak;
  inferred.decay_start_step = static_cast<Step>(std::llround(fit->start));
  inferred.misfit = fit->misfit;
  return inferred;
}

namespace {

std::string DescribeDecay(const InferredSchedule& inferred) {
  const bool warms_up = inferred.so_far->knot_steps.front() < inferred.peak_step;
  const std::string warmup = warms_up ? fmt::format("peak at step {}, ", inferred.peak_step) : "";
  const std::string from =
      inferred.decay_start_step > inferred.peak_step ? fmt::format(" from step {}", inferred.decay_start_step) : "";
  const char* about = inferred.final_lr_sd > kSure * inferred.peak_lr ? "about " : "";
  return fmt::format("{}{}{}, {:.4g} to {}{:.4g}", warmup, NameOf(inferred.decay), from, inferred.peak_lr, about,
                     inferred.final_lr);
}

}  // namespace

std::string Describe(const InferredSchedule& inferred) {
  switch (inferred.shape) {
    case RateShape::kTooFew:
      return "";
    case RateShape::kNotARate:
      return "the logged values are no learning rates";
    case RateShape::kWarmingUp:
      return "warming up so far";
    case RateShape::kFlat:
      return fmt::format("constant at {:.4g} so far, unknown from here", inferred.peak_lr);
    case RateShape::kDecaying:
      return DescribeDecay(inferred);
    case RateShape::kOther:
      return "moves as no schedule that is known here, unknown from here";
    case RateShape::kComplete:
      return "as logged, to the end";
  }
  return "";
}

}  // namespace curvecast
