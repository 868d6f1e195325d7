#include "core/watch/feature_track.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kPieces = 256;
constexpr double kRoom = 4;           // A plan without an end gets one this many times as far as the run is ...
constexpr Step kShortest = 1000;      // ... and at least this far.
constexpr double kOverrun = 1.25;     // The same for a plan that has run out.
constexpr double kLeastShare = 1e-6;  // As in core/law.

}  // namespace

Plan FeatureTrack::WithEnd(const Plan& plan, Step newest) {
  Plan ended = plan;
  const double at = static_cast<double>(newest);
  if (!plan.total_steps) {
    ended.total_steps = std::max(kShortest, static_cast<Step>(kRoom * at));
  } else if (newest > *plan.total_steps) {
    ended.total_steps = static_cast<Step>(std::ceil(kOverrun * at));
  }
  return ended;
}

FeatureTrack::FeatureTrack(const Plan& plan, Step newest)
    : plan_(WithEnd(plan, newest)), clock_(plan_, *plan_.total_steps) {
  left_ = right_ = MakeNode(1);
}

const FeatureTrack::Place& FeatureTrack::At(double step) {
  step = std::max(step, 1.0);
  if (step < left_.step || step > right_.step) Bracket(step);
  const double span = right_.step - left_.step, part = span > 0 ? (step - left_.step) / span : 0;
  place_.share = left_.share + part * (right_.share - left_.share);
  place_.rate = left_.rate + part * (right_.rate - left_.rate);
  place_.row = left_.row + part * (right_.row - left_.row);
  place_.warming = step <= clock_.warmup_end();
  place_.step = step;
  place_.sized = plan_.tokens_per_step.has_value();
  return place_;
}

// Nodes lie where they would whatever steps were asked for before, so that the same curve has the same features.
void FeatureTrack::Bracket(double step) {
  double left = step < left_.step ? 1 : right_.step, right = NodeAfter(left);
  while (right < step) {
    left = right;
    right = NodeAfter(left);
  }
  left_ = left == right_.step ? right_ : MakeNode(left);
  right_ = MakeNode(right);
}

double FeatureTrack::NodeAfter(double step) const {
  // From the whole step, so that early nodes are every step, although the schedule turns between steps.
  double next = std::floor(step) + std::max(1.0, std::floor(step / kPieces));
  if (step < clock_.end()) next = std::min(next, clock_.end());
  if (clock_.kind() == RateKind::kUnknown) return next;
  const auto& knots = plan_.schedule->knots();
  const auto turn = std::upper_bound(knots.begin(), knots.end(), step,
                                     [](double s, const LrSchedule::Knot& knot) { return s < knot.step; });
  return turn == knots.end() ? next : std::min(next, turn->step);
}

FeatureTrack::Node FeatureTrack::MakeNode(double step) const {
  Node node{.step = step, .share = std::max(clock_.Share(step), kLeastShare), .rate = clock_.Rate(step)};
  node.row = Features(clock_, {{node.share, node.rate}}).front();
  return node;
}

}  // namespace curvecast
