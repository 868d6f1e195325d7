#pragma once

#include "absl/status/status.h"
#include "client/examples/train_lm/corpus.h"
#include "client/examples/train_lm/options.h"

namespace curvecast::train_lm {

// Trains to the end of the plan and reports on the way. `options.shape.vocabulary` is the corpus's.
absl::Status Train(const Options& options, const Corpus& corpus);

}  // namespace curvecast::train_lm
