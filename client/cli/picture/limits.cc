#include "client/cli/picture/limits.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kIgnoredStart = 0.04;  // Share of the curve's steps whose height does not set the scale.
constexpr double kSmallStart = 1.5;     // ... unless the whole is only so many times as high as the rest.
constexpr size_t kFewPoints = 4;        // Of so few none is ignored.
constexpr double kReach = 4;            // Outside the inner 80 % by so many times their range: off the scale.
constexpr double kLogFactor = 6;
constexpr double kPadding = 0.05;
constexpr double kLargest = 1e300;  // Beyond it differences overflow: never on the scale.

bool Usable(double value) { return std::isfinite(value) && std::abs(value) <= kLargest; }

struct Range {
  double low = INFINITY;
  double high = -INFINITY;
  bool empty() const { return !(low <= high); }
  void Take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// What sets the scale, and what is shown as far as it fits.
struct Values {
  std::vector<double> core;
  std::vector<double> start;  // The curve's first steps.
  std::vector<double> extra;
};

Values Gather(const RunPicture& picture) {
  Values values;
  const auto add = [](std::vector<double>& to, double value) {
    if (Usable(value)) to.push_back(value);
  };
  if (!picture.curve.empty()) {
    const double first = picture.curve.front().step, last = picture.curve.back().step;
    const double settled = first + kIgnoredStart * (last - first);
    for (const PicturePoint& p : picture.curve) add(p.step < settled ? values.start : values.core, p.value);
    for (const PicturePoint& p : picture.expected) add(p.step < settled ? values.start : values.core, p.value);
  }
  if (values.core.size() < kFewPoints) {
    values.core.insert(values.core.end(), values.start.begin(), values.start.end());
    values.start.clear();
  }
  for (const PictureBand& b : picture.forecast) add(values.core, b.middle);
  for (const PictureBand& b : picture.forecast) {
    add(values.extra, b.low);
    add(values.extra, b.high);
  }
  for (const PicturePoint& p : picture.past_forecasts) add(values.extra, p.value);
  for (const std::vector<PicturePoint>& branch : picture.superseded) {
    for (const PicturePoint& p : branch) add(values.extra, p.value);
  }
  return values;
}

double Quantile(std::vector<double>& values, double level) {
  const auto at = values.begin() + std::lround(level * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// What lies within reach of the core's middle.
Range RobustRange(const Values& values, bool with_start) {
  Range range;
  std::vector<double> core = values.core;
  if (core.empty()) return range;
  const double low = Quantile(core, 0.1), high = Quantile(core, 0.9);
  const double reach = kReach * std::max({high - low, 1e-6 * std::abs(high), 1e-12});
  const auto take = [&](const std::vector<double>& list) {
    for (const double value : list) {
      if (value >= low - reach && value <= high + reach) range.Take(value);
    }
  };
  take(values.core);
  take(values.extra);
  if (with_start) take(values.start);
  return range;
}

Values Logs(Values values) {
  for (std::vector<double>* list : {&values.core, &values.start, &values.extra}) {
    for (double& value : *list) value = std::log10(value);
  }
  return values;
}

bool AllPositive(const Values& values) {
  const auto positive = [](double value) { return value > 0; };
  return std::all_of(values.core.begin(), values.core.end(), positive) &&
         std::all_of(values.start.begin(), values.start.end(), positive) &&
         std::all_of(values.extra.begin(), values.extra.end(), positive);
}

Range Padded(Range range, double least) {
  if (range.high - range.low < least) {
    range.low -= least / 2;
    range.high += least / 2;
  }
  const double padding = kPadding * (range.high - range.low);
  return {range.low - padding, range.high + padding};
}

}  // namespace

Axis StepAxis(const RunPicture& picture) {
  Range range;
  for (const PicturePoint& p : picture.curve) range.Take(p.step);
  for (const PictureBand& b : picture.forecast) range.Take(b.step);
  for (const std::vector<PicturePoint>& branch : picture.superseded) {
    for (const PicturePoint& p : branch) range.Take(p.step);
  }
  for (const PictureFlag& f : picture.flags) range.Take(static_cast<double>(f.flag.began_step));
  if (!picture.forecast.empty() && picture.total_steps) range.Take(*picture.total_steps);
  if (range.empty()) range = {0, picture.total_steps.value_or(1)};
  if (range.low < 0.1 * range.high) range.low = std::min(range.low, 0.0);
  if (!(range.high > range.low)) range.high = range.low + 1;
  return {range.low, range.high, false};
}

Axis ValueAxis(const RunPicture& picture) {
  const Values values = Gather(picture);
  if (AllPositive(values)) {
    const Values logs = Logs(values);
    const Range settled = RobustRange(logs, /*with_start=*/false);
    if (!settled.empty() && settled.high - settled.low >= std::log10(kLogFactor)) {
      const Range range = Padded(RobustRange(logs, /*with_start=*/true), 0);
      return {std::pow(10, range.low), std::pow(10, range.high), true};
    }
  }
  Range range = RobustRange(values, /*with_start=*/false);
  if (range.empty()) return {0, 1, false};
  const Range whole = RobustRange(values, /*with_start=*/true);
  if (whole.high - whole.low <= kSmallStart * (range.high - range.low)) range = whole;
  range = Padded(range, std::max(0.01 * std::abs(range.low), 1e-9));
  return {range.low, range.high, false};
}

}  // namespace curvecast
