#pragma once

#include "client/cli/commands.h"
#include "client/cli/run_view.h"

namespace curvecast {

// How what goes to stdout now is to look: as wide as the terminal, and with ages of this moment.
ViewStyle StyleOf(const CommonOptions& common);

}  // namespace curvecast
