#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "client/examples/train_lm/adam.h"
#include "client/examples/train_lm/checkpoint.h"
#include "client/examples/train_lm/model.h"
#include "client/examples/train_lm/random.h"
#include "client/examples/train_lm/schedule.h"

namespace curvecast::train_lm {
namespace {

Batch SomeBatch(int vocabulary, int context, int size) {
  Random random(7);
  Batch batch{Eigen::MatrixXi(context, size), Eigen::VectorXi(size)};
  const auto symbol = [&] { return static_cast<int>(random.Below(static_cast<uint64_t>(vocabulary))); };
  for (int b = 0; b < size; ++b) {
    for (int c = 0; c < context; ++c) batch.context(c, b) = symbol();
    batch.target(b) = symbol();
  }
  return batch;
}

struct Case {
  int layers;
  Activation activation;
};

class GradientTest : public testing::TestWithParam<Case> {};

TEST_P(GradientTest, IsWhatFiniteDifferencesSay) {
  const Shape shape{.vocabulary = 5,
                    .context = 3,
                    .embedding = 4,
                    .width = 6,
                    .layers = GetParam().layers,
                    .activation = GetParam().activation};
  Model<double> model(shape, 11);
  const Batch batch = SomeBatch(5, 3, 9);
  Eigen::VectorXd gradient;
  const double loss = model.LossAndGradient(batch, gradient);
  EXPECT_DOUBLE_EQ(loss, model.Loss(batch));
  ASSERT_EQ(gradient.size(), model.parameters().size());
  constexpr double kNudge = 1e-5;
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    double& weight = model.parameters()(i);
    const double kept = weight;
    weight = kept + kNudge;
    const double above = model.Loss(batch);
    weight = kept - kNudge;
    const double below = model.Loss(batch);
    weight = kept;
    EXPECT_NEAR(gradient(i), (above - below) / (2 * kNudge), 1e-8) << "weight " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GradientTest,
                         testing::Values(Case{1, Activation::kTanh}, Case{1, Activation::kGelu},
                                         Case{3, Activation::kTanh}, Case{3, Activation::kGelu}),
                         [](const testing::TestParamInfo<Case>& shape) {
                           const std::string name = shape.param.activation == Activation::kTanh ? "Tanh" : "Gelu";
                           return name + std::to_string(shape.param.layers);
                         });

TEST(ModelTest, AnUntrainedModelKnowsNoMoreThanTheSizeOfTheVocabulary) {
  Model<float> model({.vocabulary = 50, .context = 4, .embedding = 8, .width = 32}, 1);
  EXPECT_NEAR(model.Loss(SomeBatch(50, 4, 200)), std::log(50.0), 0.1);
}

TEST(ModelTest, LearnsASmallBatchByHeart) {
  Model<float> model({.vocabulary = 20, .context = 4, .embedding = 8, .width = 32, .layers = 2}, 1);
  const Batch batch = SomeBatch(20, 4, 16);
  Adam adam(model.parameters().size());
  Eigen::VectorXf gradient;
  for (int step = 1; step <= 200; ++step) {
    model.LossAndGradient(batch, gradient);
    adam.Update(step, 1e-2, gradient, model.parameters());
  }
  EXPECT_LT(model.Loss(batch), 0.05);
}

TEST(AdamTest, TheFirstStepIsAsLongAsTheRateWhateverTheGradient) {
  Adam adam(2);
  Eigen::VectorXf parameters = Eigen::VectorXf::Zero(2);
  adam.Update(1, 0.5, Eigen::Vector2f(1e-3F, -40), parameters);
  EXPECT_NEAR(parameters(0), -0.5, 1e-4);
  EXPECT_NEAR(parameters(1), 0.5, 1e-4);
}

TEST(ScheduleTest, RisesToItsPeakAndFallsToATwentieth) {
  for (const Decay decay : {Decay::kCosine, Decay::kLinear, Decay::kWsd}) {
    const RateSchedule rate{.peak = 1, .warmup_steps = 10, .total_steps = 110, .decay = decay};
    EXPECT_DOUBLE_EQ(rate.RateAt(5), 0.5);
    EXPECT_DOUBLE_EQ(rate.RateAt(10), 1);
    EXPECT_NEAR(rate.RateAt(110), 0.05, 1e-12);
    EXPECT_DOUBLE_EQ(rate.Reported().final_lr, 0.05);
  }
  const RateSchedule wsd{.peak = 1, .warmup_steps = 10, .total_steps = 110, .decay = Decay::kWsd};
  EXPECT_DOUBLE_EQ(wsd.RateAt(88), 1);
  EXPECT_LT(wsd.RateAt(89), 1);
}

TEST(CheckpointTest, GivesBackWhatItWasGivenAndRefusesAnotherModels) {
  const std::string path = testing::TempDir() + "train_lm_checkpoint_test";
  Eigen::VectorXf parameters = Eigen::VectorXf::LinSpaced(5, 0, 1);
  Adam adam(5);
  adam.Update(1, 0.1, Eigen::VectorXf::Ones(5), parameters);
  ASSERT_TRUE(SaveCheckpoint(path, 42, parameters, adam).ok());
  Eigen::VectorXf loaded(5);
  Adam loaded_adam(5);
  const auto step = LoadCheckpoint(path, loaded, loaded_adam);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(*step, 42);
  EXPECT_EQ(loaded, parameters);
  EXPECT_EQ(loaded_adam.mean, adam.mean);
  EXPECT_EQ(loaded_adam.square, adam.square);
  Eigen::VectorXf larger(6);
  Adam larger_adam(6);
  EXPECT_EQ(LoadCheckpoint(path, larger, larger_adam).status().code(), absl::StatusCode::kFailedPrecondition);
  std::ofstream(path, std::ios::trunc) << "something else, long enough for a head";
  EXPECT_EQ(LoadCheckpoint(path, loaded, loaded_adam).status().code(), absl::StatusCode::kNotFound);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace curvecast::train_lm
