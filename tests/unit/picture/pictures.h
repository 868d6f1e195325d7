#pragma once

#include <cmath>

#include "client/cli/picture/run_picture.h"

namespace curvecast {

// A run that falls to 2 as 1 / step does, half-way to step 1000, every 5th step.
inline RunPicture FallingRun() {
  RunPicture picture;
  picture.name = "demo/a";
  picture.metric = "train/loss";
  picture.total_steps = 1000;
  for (int step = 5; step <= 500; step += 5) picture.curve.push_back({step * 1.0, 2 + 20.0 / step, 0});
  return picture;
}

inline PictureFlag FlagAt(int64_t number, FlagKind kind, Severity severity, Step began, Step updated,
                          Resolution resolution = Resolution::kActive) {
  PictureFlag flag;
  flag.number = number;
  flag.flag.kind = kind;
  flag.flag.severity = severity;
  flag.flag.metric = "train/loss";
  flag.flag.began_step = began;
  flag.flag.raised_step = began;
  flag.flag.updated_step = updated;
  flag.flag.resolution = resolution;
  flag.sentence = "train/loss is high since step " + std::to_string(began) + ".";
  return flag;
}

}  // namespace curvecast
