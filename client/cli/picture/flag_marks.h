#pragma once

#include <vector>

#include "client/cli/picture/frame.h"
#include "client/cli/picture/run_picture.h"
#include "client/cli/picture/svg.h"

namespace curvecast {

// Where a flag's label stands: above the plot, in lanes that are counted from the plot upward.
struct FlagPlace {
  const PictureFlag* flag = nullptr;
  double x = 0;              // Where it began.
  double x_end = 0;          // Where it was resolved; of an active one, the newest step.
  int lane = -1;             // -1: there is no room for a label.
  bool text_before = false;  // The label stands left of x.
};

// "#3 SPIKE warning": how a flag is called beside its line.
std::string FlagTag(const PictureFlag& flag);

// The graver, then the active, find room first. `frame` needs no height yet.
std::vector<FlagPlace> PlaceFlags(const RunPicture& picture, const Frame& frame);

inline constexpr double kLaneHeight = 19;
int LanesOf(const std::vector<FlagPlace>& places);

// Each flag: a line where it began, a bar from there to where it was resolved, a ring on the curve, its label. The
// active ones are filled, the others hollow and faint.
void DrawFlagLines(const std::vector<FlagPlace>& places, const Frame& frame, SvgWriter& svg);
void DrawFlagLabels(const RunPicture& picture, const std::vector<FlagPlace>& places, const Frame& frame,
                    SvgWriter& svg);

}  // namespace curvecast
