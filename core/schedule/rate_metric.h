#pragma once

#include <optional>
#include <string_view>

namespace curvecast {

// Whether a metric is, by its name, the learning rate of a run; the lowest rank is the likeliest. The names that
// trainers give it (README.md lists them); nothing for any other.
std::optional<int> RateMetricRank(std::string_view metric);

}  // namespace curvecast
