#pragma once

#include "client/cli/picture/run_picture.h"
#include "client/cli/picture/svg.h"

namespace curvecast {

// What each line of the picture means, in rows between `left` and `right`; only what the picture has. Returns where the
// rows end.
double DrawKey(const RunPicture& picture, double left, double right, double top, SvgWriter& svg);

}  // namespace curvecast
