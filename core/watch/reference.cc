#include "core/watch/reference.h"

#include <algorithm>
#include <cmath>

#include "core/watch/lanes.h"

namespace curvecast {
namespace {

constexpr double kStrayReach = 0.3;  // In log t.
constexpr double kLevelSd = 1;       // Log loss.
constexpr double kJoltReach = 0.03;  // Log t: how soon a stepping rate takes effect.
constexpr double kLeastVariance = 1e-18;
constexpr Eigen::Index kStray = Reference::kStray, kBend = kStray + 1;
constexpr double kLeastWay = 1.0 / 1024;  // Of log t: the stray stands still for less.
constexpr double kDamping = 1.7320508 / kStrayReach;

}  // namespace

Reference::Reference(const Belief& belief, double origin) {
  state_.head<kCoefficients>() = belief.mean;
  state_(0) = origin;
  covariance_.topLeftCorner<kCoefficients, kCoefficients>() = belief.covariance;
  covariance_.row(0).setZero();
  covariance_.col(0).setZero();
  covariance_(0, 0) = kLevelSd * kLevelSd;
}

void Reference::Advance(double step, double stray) {
  if (step <= step_ * (1 + kLeastWay)) return;
  using Two = Eigen::Matrix2d;
  const double passed = step_ > 0 ? std::min(std::log(step / step_), 10.0) : 10.0;
  const double kept = std::exp(-kDamping * passed), d = kDamping * passed;
  Two move;
  move << kept * (1 + d), kept * passed, -kept * kDamping * d, kept * (1 - d);
  Two settled = Two::Zero();
  settled(0, 0) = stray * stray;
  settled(1, 1) = kDamping * kDamping * stray * stray;
  state_.segment<2>(kStray) = (move * state_.segment<2>(kStray)).eval();
  covariance_.middleRows<2>(kStray) = (move * covariance_.middleRows<2>(kStray)).eval();
  covariance_.middleCols<2>(kStray) = (covariance_.middleCols<2>(kStray) * move.transpose()).eval();
  covariance_.block<2, 2>(kStray, kStray) += settled - move * settled * move.transpose();
  moved_ = (move * moved_).eval();
  has_moved_ = true;
  step_ = step;
}

Reference::Expected Reference::Expect(const FeatureRow& row, const FeatureRow& before, double correlation) const {
  Expected expected;
  expected.row.head<kCoefficients>() = row - correlation * before;
  expected.row(kStray) = 1 - correlation;
  expected.row.tail<2>().setZero();
  expected.has_moved = has_moved_;
  if (has_moved_) expected.moved = moved_;
  expected.value = expected.row.dot(state_);
  lanes::Gain(covariance_, expected.row, expected.gain);
  expected.variance = std::max(expected.row.dot(expected.gain), kLeastVariance);
  return expected;
}

void Reference::Update(const Expected& expected, double innovation, double noise) {
  const double total = expected.variance + noise;
  state_ += expected.gain * (innovation / total);
  lanes::Downdate(covariance_, expected.gain, total);
  if (has_moved_) moved_.setIdentity();
  has_moved_ = false;
}

double Reference::Level(const FeatureRow& row) const { return row.dot(state_.head<kCoefficients>()) + state_(kStray); }

void Reference::Jolt(double sd) {
  covariance_(kStray, kStray) += sd * sd;
  covariance_(kBend, kBend) += sd * sd / (kJoltReach * kJoltReach);
}

void Reference::Correct(const Vector& effect) {
  state_ += effect;
  covariance_.noalias() += effect * effect.transpose();
}

void Reference::LoosenLevel(double sd) { covariance_(0, 0) += sd * sd; }

}  // namespace curvecast
