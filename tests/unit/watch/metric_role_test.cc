#include "core/watch/metric_role.h"

#include <string_view>

#include "gtest/gtest.h"

namespace curvecast {
namespace {

TEST(MetricRoleTest, LossesOnHeldOutDataAreKnown) {
  for (const std::string_view name :
       {"eval/loss",          "eval_loss",        "val/loss",        "val_loss",     "validation/loss", "valid_loss",
        "test/loss",          "test_loss",        "dev/loss",        "eval/c4/loss", "val/bpb",         "val_bpb",
        "test/cross_entropy", "eval-loss",        "validation.loss", "loss/val",     "eval/nll",        "val/ce",
        "EVAL/LOSS",          "lm_eval/eval/loss"}) {
    EXPECT_EQ(RoleOf(name), MetricRole::kEvalLoss) << name;
  }
}

TEST(MetricRoleTest, TrainLossesAreKnown) {
  for (const std::string_view name : {"loss", "train/loss", "train_loss", "Loss", "train/cross_entropy", "train-loss",
                                      "train/lm/loss", "train/nll"}) {
    EXPECT_EQ(RoleOf(name), MetricRole::kTrainLoss) << name;
  }
}

TEST(MetricRoleTest, NormsOfGradientsAreKnown) {
  for (const std::string_view name :
       {"grad_norm", "train/grad_norm", "gradient_norm", "grad/global_norm", "optim/grad_norm", "gradnorm",
        "global_grad_norm", "grad_l2_norm", "train/grad-norm", "Grad_Norm", "grad_norm/total"}) {
    EXPECT_EQ(RoleOf(name), MetricRole::kGradNorm) << name;
  }
}

TEST(MetricRoleTest, RatesAreKnown) {
  for (const std::string_view name :
       {"lr", "learning_rate", "train/lr", "train/learning_rate", "LR", "lr-AdamW", "lrm", "optim/learning-rate"}) {
    EXPECT_EQ(RoleOf(name), MetricRole::kRate) << name;
  }
}

TEST(MetricRoleTest, WhatIsNoneOfTheseIsLeftAlone) {
  for (const std::string_view name : {"", "accuracy", "eval/accuracy", "test/perplexity", "throughput/tokens_per_sec",
                                      "lossless", "floss", "param_norm", "weight_norm", "z_loss",

                                      "gradient_accumulation", "valuation", "latest_step", "gpu/memory", "epoch",
                                      "train/time", "norm", "glossary/terms", "moe/load_balancing_loss"}) {
    const MetricRole role = RoleOf(name);
    EXPECT_EQ(role, MetricRole::kNone) << name << " " << static_cast<int>(role);
  }
}

}  // namespace
}  // namespace curvecast
