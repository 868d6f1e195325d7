#include "client/examples/train_lm/adam.h"

#include <cmath>

namespace curvecast::train_lm {

Adam::Adam(Eigen::Index parameters)
    : mean(Eigen::VectorXf::Zero(parameters)), square(Eigen::VectorXf::Zero(parameters)) {}

void Adam::Update(int64_t step, double rate, const Eigen::VectorXf& gradient, Eigen::VectorXf& parameters) {
  mean = beta1 * mean + (1 - beta1) * gradient;
  square = beta2 * square + (1 - beta2) * gradient.cwiseAbs2();
  const double t = static_cast<double>(step);
  const auto scale = static_cast<float>(rate / (1 - std::pow(static_cast<double>(beta1), t)));
  const auto correction = static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta2), t)));
  parameters.array() -= scale * mean.array() / ((correction * square.array()).sqrt() + epsilon);
}

}  // namespace curvecast::train_lm
