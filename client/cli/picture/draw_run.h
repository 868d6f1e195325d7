#pragma once

#include <string>

#include "client/cli/picture/run_picture.h"

namespace curvecast {

// The picture as a whole file of SVG that stands alone: no fonts, scripts or styles from elsewhere. From top to bottom
// the run and its facts, what each line means, the labels of the flags, the plot, the declared learning rate, the flags
// in words. Pure: the same picture gives the same bytes. Hostile numbers and texts are marked or escaped, not refused.
std::string DrawRun(const RunPicture& picture);

}  // namespace curvecast
