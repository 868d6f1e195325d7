#include <cmath>
#include <string>

#include "core/watch/flag.h"
#include "fmt/format.h"

namespace curvecast {
namespace {

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "infinite" : "minus infinity";
  return fmt::format("{:.4g}", value);
}

// How much more one value is than another: "12 %", "0.35 %", or "3.2 times" where per cents say little.
std::string Apart(double seen, double expected) {
  if (!(std::fabs(expected) > 0) || !std::isfinite(seen)) return Number(seen - expected);
  const double ratio = seen / expected;
  if (ratio >= 3) return fmt::format("{:.2g} times", ratio);
  const double per_cent = 100 * std::fabs(ratio - 1);
  return per_cent < 10 ? fmt::format("{:.2g} %", per_cent) : fmt::format("{:.0f} %", per_cent);
}

std::string Sigmas(const Evidence& e) {
  if (!(e.sigma > 0) || !std::isfinite(e.seen)) return "";
  return fmt::format(", {:.3g} sigma", std::fabs(e.seen - e.expected) / e.sigma);
}

std::string Duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

// "1.82 where 1.71 is expected (6.4 %, 12 sigma)".
std::string Off(const Evidence& e) {
  return fmt::format("{} where {} is expected ({}{})", Number(e.seen), Number(e.expected), Apart(e.seen, e.expected),
                     Sigmas(e));
}

}  // namespace

std::string Describe(const Flag& flag) {
  const Evidence& e = flag.evidence;
  const std::string& m = flag.metric;
  const std::string since = fmt::format("since step {}", flag.began_step);
  switch (flag.kind) {
    case FlagKind::kNonFinite:
      return fmt::format("{} is {} at step {}; it was {} before.", m, Number(e.seen), flag.began_step,
                         Number(e.expected));
    case FlagKind::kSpike:
      return fmt::format("{} spiked at step {}: {}.", m, flag.began_step, Off(e));
    case FlagKind::kShift:
      return fmt::format("{} has stepped up {}: {}.", m, since, Off(e));
    case FlagKind::kDrift:
      return fmt::format("{} drifts above its law {}: {}.", m, since, Off(e));
    case FlagKind::kPlateau:
      return fmt::format("{} has stopped falling {}: {}.", m, since, Off(e));
    case FlagKind::kDivergence:
      return fmt::format("{} rises {}: it is {} where it should be {} ({} up).", m, since, Number(e.seen),
                         Number(e.expected), Apart(e.seen, e.expected));
    case FlagKind::kTooGood:
      return fmt::format("{} fell at once {}, lower than the law allows: {}. A leak, repeated data or a false restart?",
                         m, since, Off(e));
    case FlagKind::kNoiseChange:
      return fmt::format("The points of {} scatter by {} where they scattered by {}.", m, Number(e.seen),
                         Number(e.expected));
    case FlagKind::kOffLaw:
      return fmt::format(
          "The end of {} is forecast at {}, {:.2g} standard deviations above what was forecast before ({}).", m,
          Number(e.seen), e.statistic, Number(e.expected));
    case FlagKind::kOffFamily:
      return fmt::format("{} is {} where the project's finished runs say {} ({:.2g} standard deviations above), {}.", m,
                         Number(e.seen), Number(e.expected), e.statistic, since);
    case FlagKind::kOverfit:
      return fmt::format("{} rises {} while the train loss keeps to its law: {}.", m, since, Off(e));
    case FlagKind::kGradNorm:
      return fmt::format("{} is {} where {} is usual ({}), {}.", m, Number(e.seen), Number(e.expected),
                         Apart(e.seen, e.expected), since);
    case FlagKind::kLrMismatch:
      return fmt::format("{} is {} where the declared schedule has {}, {}.", m, Number(e.seen), Number(e.expected),
                         since);
    case FlagKind::kSilent:
      return fmt::format("No point for {}; a pause of {} is usual. The newest step is {}.", Duration(e.statistic),
                         Duration(e.expected), flag.raised_step);
    case FlagKind::kStuckAtStart:
      return fmt::format("{} is {}, where it was at step {}: nothing is being learned.", m, Number(e.seen),
                         flag.began_step);
  }
  return "";
}

}  // namespace curvecast
