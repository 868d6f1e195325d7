#include "core/schedule/rate_metric.h"

#include <gtest/gtest.h>

#include <string>

namespace curvecast {
namespace {

TEST(RateMetricTest, WhatTrainersCallTheirLearningRateIsOne) {
  for (const char* name : {"lr", "learning_rate", "learning-rate", "train/lr", "train/learning_rate",
                           "optim/learning_rate", "Train/Samples/lr", "train/lrm", "optim/learning_rate_group0",
                           "lr-AdamW", "lr-SGD", "lr-AdamW/pg1", "lr-DecoupledAdamW/group0", "lr/pg0"}) {
    EXPECT_TRUE(RateMetricRank(name).has_value()) << name;
  }
}

TEST(RateMetricTest, WhatOnlyLooksLikeOneIsNone) {
  for (const char* name :
       {"", "train/loss", "lr-", "lr-AdamW-momentum", "lr-AdamW-weight_decay", "lr-AdamW-1", "lr-AdamW/pg2", "lr/pg1/x",
        "lr_scheduler", "lr/group3", "blr", "learning_rate_schedule", "lr/", "optim/lr_decay"}) {
    EXPECT_FALSE(RateMetricRank(name).has_value()) << name;
  }
}

TEST(RateMetricTest, ThePlainNameIsTheLikeliest) {
  const std::string in_order[] = {"lr", "train/lr", "train/lrm", "lr-AdamW", "lr-AdamW/pg1"};
  for (size_t i = 1; i < std::size(in_order); ++i) {
    EXPECT_LT(*RateMetricRank(in_order[i - 1]), *RateMetricRank(in_order[i])) << in_order[i];
  }
}

}  // namespace
}  // namespace curvecast
