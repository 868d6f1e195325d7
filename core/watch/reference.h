#pragma once

#include "Eigen/Core"
#include "core/law/belief.h"
#include "core/law/features.h"

namespace curvecast {

// Where a run should be: a Kalman filter whose state is the law's coefficients (core/law) and the curve's stray from
// the law. It foretells the next point of log loss with a variance that knows what the run has not shown yet, such as
// how much a falling rate gains.
//
//   y_t = f(t)' c + stray_t + noise_t,   stray a smooth process (Matern 3/2) in log t, noise_t = rho noise_{t-1} + e_t
//
// Points are whitened by rho: y_t - rho y_{t-1} against f(t) - rho f(t-1).
class Reference {
 public:
  // The law's coefficients, the stray and its slope, and a place that is always 0: an even number is twice as fast.
  static constexpr Eigen::Index kStray = static_cast<Eigen::Index>(kCoefficients);
  static constexpr Eigen::Index kStates = kStray + 3;
  using Vector = Eigen::Matrix<double, kStates, 1>;
  using Matrix = Eigen::Matrix<double, kStates, kStates>;

  Reference() = default;  // To be read from an archive.
  // The level of `belief` is taken to be `origin` (log loss), and not known.
  Reference(const Belief& belief, double origin);

  // What is expected of a whitened observation with these features, before it is seen.
  struct Expected {
    Vector row;              // f(t) - rho f(t-1), with the stray's 1 - rho, and 0.
    double value = 0;        // Of y_t - rho y_{t-1}.
    double variance = 0;     // Of the state's part.
    Vector gain;             // P row: times 1 / total variance it is the Kalman gain.
    bool has_moved = false;  // The stray has gone through `moved` since the update.
    Eigen::Matrix2d moved = Eigen::Matrix2d::Identity();
  };

  // Moves on to a step, > 0, where curves stray by so much; a small way is gone later. Steps in log t and not in log x,
  // which stands still where the rate goes to 0 and the loss does not.
  void Advance(double step, double stray);
  Expected Expect(const FeatureRow& row, const FeatureRow& before, double correlation) const;
  // Takes in the observation: `innovation` (clipped by the caller) with `noise` its own variance.
  void Update(const Expected& expected, double innovation, double noise);

  double Level(const FeatureRow& row) const;  // Of the curve, stray included.
  const Vector& state() const { return state_; }

  // The curve may have left the law by so much at once, and go on as fast: a rate that steps down takes effect late,
  // and nobody knows how late.
  void Jolt(double sd);
  // A change of known effect on the state is taken out of it: state + effect, more uncertain by effect effect' .
  void Correct(const Vector& effect);
  // The curve lies higher by this, and that is known.
  void Shift(double by) { state_(0) += by; }
  // The curve has gone to another level: as uncertain as `sd` more.
  void LoosenLevel(double sd);

  template <class Archive>
  void Fields(Archive& archive) {
    archive(state_, covariance_, has_moved_, moved_, step_);
  }

 private:
  Vector state_ = Vector::Zero();
  Matrix covariance_ = Matrix::Zero();
  bool has_moved_ = false;  // Since the newest update.
  Eigen::Matrix2d moved_ = Eigen::Matrix2d::Identity();
  double step_ = 0;
};

}  // namespace curvecast
