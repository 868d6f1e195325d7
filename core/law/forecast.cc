#include "core/law/forecast.h"

namespace curvecast {

std::string_view Explain(NotYet reason) {
  switch (reason) {
    case NotYet::kAnswered:
      return "answered";
    case NotYet::kTooFewPoints:
      return "too few points, or too early in the run, to place the curve";
    case NotYet::kWarmup:
      return "the learning rate is still warming up";
    case NotYet::kNoPlan:
      return "the run declares no total_steps, so there is no end to forecast";
    case NotYet::kNotFalling:
      return "the curve has risen well above its lowest level and no longer follows the law";
    case NotYet::kNonFinite:
      return "the newest point is not a finite number";
    case NotYet::kOutsideLaw:
      return "the objective is at or below zero, where the law does not hold";
    case NotYet::kUnsupported:
      return "an objective that is to be maximised is forecast only as a share, within 0 to 1 or 0 to 100";
  }
  return "unknown reason";
}

}  // namespace curvecast
