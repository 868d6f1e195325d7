#include "client/cli/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr int kDigits = 4;

std::string Fixed(double value, int decimals) {
  if (!std::isfinite(value) || std::abs(value) >= 1e6 || (value != 0 && std::abs(value) < 1e-4))
    return NumberText(value);
  return fmt::format("{:.{}f}", value, decimals);
}

// Two digits of the interval's width, but no fewer than keep the median readable.
int Decimals(double low, double high) {
  const double width = high - low;
  if (!(width > 0) || !std::isfinite(width)) return kDigits - 1;
  return std::clamp(1 - static_cast<int>(std::floor(std::log10(width) + 1e-9)), 0, 6);
}

struct Interval {
  double low, median, high;
};

std::optional<Interval> IntervalOf(const v1::Forecast& forecast) {
  const auto low = Quantile(forecast, "0.05"), median = Quantile(forecast, "0.5"), high = Quantile(forecast, "0.95");
  if (!low || !median || !high) return std::nullopt;
  return Interval{*low, *median, *high};
}

}  // namespace

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 1e6 || size < 1e-4) return fmt::format("{:.1e}", value);
  const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value, std::max(kDigits - before, 0));
}

std::optional<double> Quantile(const v1::Forecast& forecast, const char* level) {
  if (forecast.status() != v1::Forecast::OK) return std::nullopt;
  const auto it = forecast.quantiles().find(level);
  if (it == forecast.quantiles().end()) return std::nullopt;
  return it->second;
}

std::string MedianText(const v1::Forecast& forecast) {
  const std::optional<Interval> interval = IntervalOf(forecast);
  return interval ? Fixed(interval->median, Decimals(interval->low, interval->high)) : "-";
}

std::string BoundsText(const v1::Forecast& forecast) {
  const std::optional<Interval> interval = IntervalOf(forecast);
  if (!interval) return "-";
  const int decimals = Decimals(interval->low, interval->high);
  return "[" + Fixed(interval->low, decimals) + ", " + Fixed(interval->high, decimals) + "]";
}

std::string IntervalText(const v1::Forecast& forecast) {
  return IntervalOf(forecast) ? MedianText(forecast) + " " + BoundsText(forecast) : "-";
}

std::string PercentText(double ratio) {
  if (!std::isfinite(ratio)) return "-";
  const double percent = ratio >= 1 ? std::round(100 * ratio) : std::floor(100 * ratio + 1e-9);
  return fmt::format("{:.0f} %", percent);
}

std::string AgeText(int64_t seconds) {
  seconds = std::max<int64_t>(seconds, 0);
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

}  // namespace curvecast
