#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace curvecast::train_lm {

// Adam (Kingma and Ba 2015, algorithm 1).
struct Adam {
  Eigen::VectorXf mean;    // Of the gradient.
  Eigen::VectorXf square;  // Of the gradient, squared.
  float beta1 = 0.9F;
  float beta2 = 0.99F;
  float epsilon = 1e-8F;

  explicit Adam(Eigen::Index parameters);

  // The update of step >= 1.
  void Update(int64_t step, double rate, const Eigen::VectorXf& gradient, Eigen::VectorXf& parameters);
};

}  // namespace curvecast::train_lm
