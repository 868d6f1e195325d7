#pragma once

#include <optional>
#include <vector>

#include "client/cli/picture/run_picture.h"
#include "core/schedule/lr_schedule.h"

namespace curvecast {

// The declared learning rate from step 0 on, for RunPicture::schedule; empty if the declaration makes no schedule.
std::vector<PictureRate> RatesOf(const ScheduleSpec& spec, std::optional<Step> total_steps);

}  // namespace curvecast
