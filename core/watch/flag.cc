#include "core/watch/flag.h"

namespace curvecast {

std::string_view NameOf(FlagKind kind) {
  switch (kind) {
    case FlagKind::kNonFinite:
      return "NON_FINITE";
    case FlagKind::kSpike:
      return "SPIKE";
    case FlagKind::kShift:
      return "SHIFT";
    case FlagKind::kDrift:
      return "DRIFT";
    case FlagKind::kOffLaw:
      return "OFF_LAW";
    case FlagKind::kOffFamily:
      return "OFF_FAMILY";
    case FlagKind::kPlateau:
      return "PLATEAU";
    case FlagKind::kDivergence:
      return "DIVERGENCE";
    case FlagKind::kNoiseChange:
      return "NOISE_CHANGE";
    case FlagKind::kTooGood:
      return "TOO_GOOD";
    case FlagKind::kOverfit:
      return "OVERFIT";
    case FlagKind::kGradNorm:
      return "GRAD_NORM";
    case FlagKind::kLrMismatch:
      return "LR_MISMATCH";
    case FlagKind::kSilent:
      return "SILENT";
    case FlagKind::kStuckAtStart:
      return "STUCK_AT_START";
  }
  return "UNKNOWN";
}

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "INFO";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kCritical:
      return "CRITICAL";
  }
  return "UNKNOWN";
}

std::string_view NameOf(Resolution resolution) {
  switch (resolution) {
    case Resolution::kActive:
      return "ACTIVE";
    case Resolution::kRecovered:
      return "RECOVERED";
    case Resolution::kSuperseded:
      return "SUPERSEDED";
    case Resolution::kReplaced:
      return "REPLACED";
    case Resolution::kEnded:
      return "ENDED";
    case Resolution::kAccepted:
      return "ACCEPTED";
  }
  return "UNKNOWN";
}

}  // namespace curvecast
