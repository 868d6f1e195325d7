#include "client/cli/picture/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kFarBelow = -10;     // In lengths of the axis.
constexpr double kLogTickRatio = 10;  // A logarithmic axis that is shorter than this gets evenly spaced ticks.
constexpr int kMostTicks = 40;        // Whatever the numbers do.

// 1, 2 or 5 times a power of ten, so that about `count` of them make up `length`.
double RoundStep(double length, int count) {
  const double raw = length / std::max(count, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double times = raw / power;
  return (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10) * power;
}

std::vector<double> EvenTicks(double low, double high, double step) {
  std::vector<double> ticks;
  if (!std::isfinite(step) || !(step > 0)) return ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < kMostTicks; ++i) {
    const double value = (first + i) * step;
    if (value > high + 1e-9 * step) break;
    ticks.push_back(value == 0 ? 0 : value);  // No minus zero.
  }
  return ticks;
}

// As many decimals as tell neighbouring ticks apart.
std::string EvenText(double value, double step) {
  if (value != 0 && (std::abs(value) >= 1e6 || step < 1e-5)) return fmt::format("{:.6g}", value);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

std::vector<Tick> LogTicks(const Axis& axis, int count) {
  const double low = std::log10(axis.low), high = std::log10(axis.high);
  const double decades_apart = std::max(1.0, std::ceil((high - low) / std::max(count, 1)));
  const bool between = high - low < 3;
  std::vector<Tick> ticks;
  for (double decade = std::floor(low); decade <= high && ticks.size() < kMostTicks; decade += decades_apart) {
    for (const double times : {1.0, 2.0, 5.0}) {
      const double value = times * std::pow(10, decade);
      if ((times > 1 && !between) || value < axis.low || value > axis.high) continue;
      ticks.push_back({value, fmt::format("{:.6g}", value)});
    }
  }
  return ticks;
}

}  // namespace

double Axis::Share(double value) const {
  if (!logarithmic) return (value - low) / (high - low);
  if (!(value > 0)) return kFarBelow;
  return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
}

std::vector<Tick> ValueTicks(const Axis& axis, int count) {
  if (axis.logarithmic && axis.high / axis.low >= kLogTickRatio) return LogTicks(axis, count);
  const double step = RoundStep(axis.high - axis.low, count);
  std::vector<Tick> ticks;
  for (const double value : EvenTicks(axis.low, axis.high, step)) ticks.push_back({value, EvenText(value, step)});
  return ticks;
}

std::vector<Tick> StepTicks(const Axis& axis, int count) {
  const double step = std::max(1.0, RoundStep(axis.high - axis.low, count));
  const std::vector<double> values = EvenTicks(axis.low, axis.high, step);
  const double largest = values.empty() ? 0 : values.back();
  const double unit = largest >= 2e6 ? 1e6 : largest >= 1e4 ? 1e3 : 1;
  std::vector<Tick> ticks;
  for (const double value : values) {
    const std::string suffix = value == 0 || unit == 1 ? "" : unit == 1e3 ? "k" : "M";
    ticks.push_back({value, fmt::format("{:.10g}{}", value / unit, suffix)});
  }
  return ticks;
}

}  // namespace curvecast
