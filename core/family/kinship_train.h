#pragma once

#include <vector>

#include "core/family/relative.h"
#include "core/law/prior.h"

namespace curvecast {

// Learns how runs of a project resemble each other: the kernel's weights and reaches by the likelihood of each source's
// relatives (at most kMostTrained of each, by a stable hash), all sources weighing alike, under a mild prior towards 1.
// `within` is the covariance of runs about what their traits explain. Deterministic; sources of fewer than
// kFewestTrained are passed over, and without any the kinship is the default one.
inline constexpr size_t kMostTrained = 180, kFewestTrained = 10;
Kinship TrainKinship(const std::vector<std::vector<Relative>>& sources, const CoefficientMatrix& within);

}  // namespace curvecast
