#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/watch/flag.h"

namespace curvecast {

// One value of the curve, or the mean of a bin of them.
struct PicturePoint {
  double step = 0;
  double value = 0;   // May be NaN or infinite: the line breaks there, and the place is marked.
  double spread = 0;  // Standard deviation in the bin; 0 of a single point.
};

// Where the curve is expected to be.
struct PictureBand {
  double step = 0;
  double low = 0, middle = 0, high = 0;
};

struct PictureRate {
  double step = 0;
  double rate = 0;
};

struct PictureFlag {
  int64_t number = 0;  // Within the run, from 1.
  Flag flag;
  std::string sentence;  // For a person.
  std::string note;      // What people did with it, in words; may be empty.
};

// All that a picture of one run shows: plain values, from the daemon's answers or from a run file. Everything but the
// metric may be missing. Series are in order of step.
struct RunPicture {
  std::string name;                     // Such as "demo/seed1".
  std::vector<std::string> facts = {};  // Short, shown in one line: "running", "step 2085 of 4000 (52 %)".
  std::string forecast_text = {};       // One sentence about the end; may be empty.
  std::string metric = "loss";          // That the curve is of.
  std::optional<double> total_steps = {};

  std::vector<PicturePoint> curve = {};
  std::vector<std::vector<PicturePoint>> superseded = {};  // What rewinds took off the curve.
  // The law's own curve as it was told on the way, noise removed.
  std::vector<PicturePoint> expected = {};
  // ... and from now to the end, with its 90 % band.
  std::vector<PictureBand> forecast = {};
  // The end as it was forecast at earlier steps: medians.
  std::vector<PicturePoint> past_forecasts = {};

  std::vector<PictureRate> schedule = {};  // Linear between; empty: none declared.
  std::string schedule_text = {};

  std::vector<PictureFlag> flags = {};  // Of this metric or another, by number.
};

}  // namespace curvecast
