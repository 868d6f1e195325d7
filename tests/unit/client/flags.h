#pragma once

#include "curvecast/v1/query.pb.h"

namespace curvecast {

inline v1::Flag FlagOf(int64_t number, v1::Flag::Kind kind, v1::Flag::Severity severity, int64_t began) {
  v1::Flag flag;
  flag.set_number(number);
  flag.set_kind(kind);
  flag.set_severity(severity);
  flag.set_metric("train/loss");
  flag.set_began_step(began);
  flag.set_raised_at_step(began + 5);
  flag.set_updated_at_step(began + 5);
  flag.set_sentence("train/loss is 2.31 where 2.05 is expected");
  return flag;
}

inline v1::Flag Resolved(v1::Flag flag, v1::Flag::Resolution resolution, int64_t step) {
  flag.set_resolution(resolution);
  flag.set_updated_at_step(step);
  return flag;
}

}  // namespace curvecast
