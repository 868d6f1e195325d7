#pragma once

#include <string_view>

namespace curvecast {

// What a metric beside the objective is to the watch, by its name.
enum class MetricRole {
  kNone,
  kEvalLoss,   // "eval/loss", "val_loss", "validation/loss", "test/cross_entropy": a loss on data that is held out.
  kTrainLoss,  // "train/loss", "train_loss", "loss".
  kGradNorm,   // "grad_norm", "train/grad_norm", "gradient_norm", "grad/global_norm".
  kRate,       // RateMetricRank of core/schedule.
};

MetricRole RoleOf(std::string_view metric);

}  // namespace curvecast
