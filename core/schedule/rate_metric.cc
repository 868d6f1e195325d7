#include "core/schedule/rate_metric.h"

#include <algorithm>
#include <string>

namespace curvecast {
namespace {

bool IsRate(std::string_view word) { return word == "lr" || word == "learning_rate"; }

// The first of several groups of parameters: "pg1" and "group0" as Lightning, YOLO and Composer count them.
bool IsFirstGroup(std::string_view word) {
  return word == "pg0" || word == "pg1" || word == "group0" || word == "group_0";
}

// Lightning's monitor: "lr-" and the optimizer's class, without a second hyphen ("lr-AdamW-momentum", "lr-SGD-1").
bool IsMonitor(std::string_view word) {
  constexpr std::string_view kPrefix = "lr_";
  return word.substr(0, kPrefix.size()) == kPrefix && word.size() > kPrefix.size() &&
         word.find_first_of("_/", kPrefix.size()) == std::string_view::npos;
}

}  // namespace

std::optional<int> RateMetricRank(std::string_view metric) {
  std::string name(metric);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '-' ? '_' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  });
  if (IsRate(name)) return 1;
  const size_t slash = name.rfind('/');
  const std::string_view last = std::string_view(name).substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string_view before = std::string_view(name).substr(0, slash == std::string::npos ? 0 : slash);
  if (IsRate(last)) return 2;
  if (last == "lrm") return 3;  // nanochat: over the peak.
  if (last == "lr_group0" || last == "learning_rate_group0") return 4;
  if (metric.substr(0, 3) == "lr-" && IsMonitor(name)) return 4;
  const bool first_of_monitor = metric.substr(0, 3) == "lr-" && IsMonitor(before) && IsFirstGroup(last);
  if (first_of_monitor || (IsRate(before) && IsFirstGroup(last))) return 5;
  return std::nullopt;
}

}  // namespace curvecast
