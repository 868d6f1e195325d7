#include "core/watch/change_bank.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace curvecast {
namespace {

// Amplitudes that are tried, in standard deviations of a point: of a step, and of a ramp for each point.
constexpr std::array<double, 6> kSteps = {0.25, 0.5, 1, 2, 4, 8};
constexpr std::array<double, 6> kRamps = {0.01, 0.03, 0.1, 0.3, 1, 3};
// Each start stands for kOldest at most. If none has evidence within this much of the threshold's share of one, their
// sum cannot reach the threshold; and those that have less add a fiftieth of it at most, and are left out.
constexpr double kFar = 2, kNothing = 4;

const double kLogOldest = std::log(static_cast<double>(ChangeBank::kOldest));

// Log of the mean over amplitudes of exp(d b - d^2 a / 2).
double LogMixture(double product, double square, const std::array<double, 6>& amplitudes, double sd, double largest) {
  double best = -std::numeric_limits<double>::infinity(), sum = 0;
  std::array<double, 6> logs;
  size_t n = 0;
  for (const double amplitude : amplitudes) {
    if (amplitude > largest) break;
    const double d = amplitude * sd;
    logs[n] = d * product - 0.5 * d * d * square;
    best = std::max(best, logs[n++]);
  }
  for (size_t i = 0; i < n; ++i) sum += std::exp(logs[i] - best);
  return n == 0 ? best : best + std::log(sum / static_cast<double>(n));
}

}  // namespace

void ChangeBank::Clear() {
  starts_ = 0;
  for (size_t i = 0; i < kSlots; ++i) list_[i].slot = i;
  on_state_.setZero();
  square_.setZero();
  product_.setZero();
}

void ChangeBank::Add(const Point& point) {
  Open(point);
  Effects course = Effects::Zero();
  for (size_t i = 0; i < starts_; ++i) {
    Start& start = list_[i];
    ++start.age;
    // A whitened observation holds the fault of this point less that of the one before.
    const double n = static_cast<double>(start.age);
    course(start.step()) = start.age == 1 ? 1 : 1 - point.correlation;
    course(start.ramp()) = n - point.correlation * (n - 1);
  }
  Follow(point, course);
  Thin();
}

void ChangeBank::Follow(const Point& point, const Effects& course) {
  constexpr Eigen::Index kStray = Reference::kStray, kBend = kStray + 1;  // The last of what is not always 0.
  const Reference::Expected& expected = point.expected;
  // What the fault has done to the stray moves on and fades with it.
  if (expected.has_moved) {
    const Effects stray = on_state_.row(kStray), bend = on_state_.row(kBend);
    on_state_.row(kStray) = expected.moved(0, 0) * stray + expected.moved(0, 1) * bend;
    on_state_.row(kBend) = expected.moved(1, 0) * stray + expected.moved(1, 1) * bend;
  }
  const double weight = 1 / point.variance;
  lanes::Follow({on_state_.data(), static_cast<size_t>(kBend) + 1, square_.data(), product_.data(), course.data()},
                expected.row.data(), expected.gain.data(), weight, weight * point.innovation);
}

void ChangeBank::Open(const Point& point) {
  Start& start = list_[starts_++];
  start.age = 0;
  start.at = point.step;
  start.level = point.level;
}

// A column without a course stays zero.
void ChangeBank::Forget(const Start& start) {
  for (const Eigen::Index effect : {start.step(), start.ramp()}) {
    on_state_.col(effect).setZero();
    square_(effect) = product_(effect) = 0;
  }
}

// Too many: the oldest goes if it is too old, else the one whose neighbours lie closest together for their age.
void ChangeBank::Thin() {
  if (starts_ <= kStarts) return;
  size_t gone = 0;
  if (list_[0].age <= kOldest) {
    double least = std::numeric_limits<double>::infinity();
    for (size_t i = 1; i + 2 < starts_; ++i) {
      const double gap = static_cast<double>(list_[i - 1].age - list_[i + 1].age) / static_cast<double>(list_[i].age);
      gone = gap < least ? i : gone;  // Without a branch, which nothing foretells.
      least = std::min(gap, least);
    }
  }
  const auto first = list_.begin() + static_cast<std::ptrdiff_t>(gone);
  std::rotate(first, first + 1, list_.begin() + static_cast<std::ptrdiff_t>(starts_));
  --starts_;
  Forget(list_[starts_]);  // Its slot is the next one's.
}

// Of a start alone: its best amplitude has evidence b^2 / 2a.
bool ChangeBank::MayFind(double log_threshold) const {
  return lanes::AnyBeyond(product_.data(), square_.data(), 2 * (log_threshold - kLogOldest - kFar));
}

std::optional<ChangeBank::Finding> ChangeBank::Find(Side side, double log_threshold, double point_sd,
                                                    double largest_shift) const {
  if (!MayFind(log_threshold)) return std::nullopt;
  const double sign = side == Side::kUp ? 1 : -1;

  double best = -std::numeric_limits<double>::infinity(), sum = 0;
  Finding finding;
  const double least = 2 * (log_threshold - kLogOldest - kNothing);
  for (size_t i = 0; i < starts_; ++i) {
    const Start& start = list_[i];
    // It stands for the starts between it and the next as well.
    const int64_t next = i + 1 < starts_ ? list_[i + 1].age : 0;
    const double stands_for = 0.5 * static_cast<double>(start.age - next);  // Half for each course.
    for (const Course course : {Course::kStep, Course::kRamp}) {
      const Eigen::Index effect = course == Course::kStep ? start.step() : start.ramp();
      const double product = sign * product_(effect), square = square_(effect);
      if (!(product > 0 && product * product > least * square)) continue;
      const double log =
          LogMixture(product, square, course == Course::kStep ? kSteps : kRamps, point_sd, largest_shift);
      sum += stands_for * std::exp(std::min(log, 600.0));
      if (log <= best) continue;
      best = log;
      finding.course = course;
      finding.points = start.age;
      finding.began = start.at;
      finding.level = start.level;
      const double amplitude = product_(effect) / square;
      finding.amplitude = course == Course::kStep ? amplitude : amplitude * static_cast<double>(start.age);
      finding.effect = -amplitude * on_state_.col(effect).matrix();
    }
  }
  finding.log_evidence = std::log(sum);
  if (!(finding.log_evidence >= log_threshold)) return std::nullopt;
  return finding;
}

}  // namespace curvecast
