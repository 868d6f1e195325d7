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
      return "a value lies where the law does not hold: a loss at or below zero, or a share at its whole";
    case NotYet::kUnsupported:
      return "an objective that is to be maximised is forecast only as a share, within 0 to 1 or 0 to 100";
    case NotYet::kTooSteep:
      return "the learning rate is to fall faster than in any run that the law was learned from; give the decay at "
             "least "
             "4 % of the run";
    case NotYet::kOffLaw:
      return "the curve does not follow the law, or would end where no such curve does; look at it";
  }
  return "unknown reason";
}

}  // namespace curvecast
