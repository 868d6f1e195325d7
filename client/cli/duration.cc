#include "client/cli/duration.h"

#include <algorithm>
#include <charconv>

namespace curvecast {
namespace {

constexpr double kDay = 86400;
constexpr double kLongest = 365 * kDay;

// 0 for what is no unit.
double SecondsOf(const std::string& unit) {
  if (unit == "s") return 1;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return unit == "d" ? kDay : 0;
}

}  // namespace

absl::StatusOr<double> ParseDuration(const std::string& text) {
  if (text == "0") return 0;
  double count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count, std::chars_format::fixed);
  const double unit = error == std::errc() ? SecondsOf({rest, end}) : 0;
  if (unit == 0 || !(count >= 0)) {
    return absl::InvalidArgumentError("\"" + text +
                                      "\" is no time; write a number and s, m, h or d, such as 30m or 2h");
  }
  if (count * unit > kLongest) return absl::InvalidArgumentError("\"" + text + "\" is more than 365 days");
  return count * unit;
}

}  // namespace curvecast
