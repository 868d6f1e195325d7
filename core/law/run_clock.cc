#include "core/law/run_clock.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kLowestRate = 1e-3;  // Luo et al. 2025 clip here.
constexpr int kDropPieces = 24;
constexpr double kYouth = 5;  // Steps' worth of doubt: 1 % at step 500, falling as 1 / step.

}  // namespace

RunClock::RunClock(const Plan& plan, Step newest)
    : schedule_(plan.schedule.has_value() ? &*plan.schedule : nullptr),
      sized_steps_(plan.tokens_per_step.has_value()),
      end_(static_cast<double>(std::max(*plan.total_steps, newest))) {
  if (schedule_ == nullptr) return;
  summed_end_ = schedule_->SummedRate(end_);
  // A plan that never trains before its end says nothing; plain steps do.
  if (!(summed_end_ > 0) || schedule_->warmup_end() >= end_) {
    schedule_ = nullptr;
    return;
  }
  if (!schedule_->constant()) FindDrops();
}

double RunClock::warmup_end() const { return schedule_ == nullptr ? 0 : schedule_->warmup_end(); }

double RunClock::Share(double step) const {
  if (schedule_ == nullptr) return std::min(step / end_, 1.0);
  return std::min(schedule_->SummedRate(step) / summed_end_, 1.0);
}

double RunClock::Rate(double step) const {
  if (schedule_ == nullptr || step <= schedule_->warmup_end()) return 1;
  return std::max(schedule_->RelativeRate(step), kLowestRate);
}

double RunClock::YouthDoubt(double step) const { return sized_steps_ ? kYouth / std::max(step, 1.0) : 0; }

void RunClock::FindDrops() {
  std::vector<double> steps = {schedule_->warmup_end()};
  for (const LrSchedule::Knot& k : schedule_->knots()) {
    if (k.step > steps.back() && k.step < end_) steps.push_back(k.step);
  }
  steps.push_back(end_);
  // Neighbouring segments join until they fall by 1/kDropPieces together; what is left at the end is one more drop.
  double from_step = steps[0], from = 1;
  for (size_t i = 1; i < steps.size(); ++i) {
    const double rate = Rate(steps[i]);
    const bool turns = i + 1 < steps.size() && (Rate(steps[i + 1]) - rate) * (rate - from) < 0;
    if (rate == from) {
      from_step = steps[i];
      continue;
    }
    if (std::fabs(rate - from) * kDropPieces < 1 && !turns && i + 1 < steps.size()) continue;
    // A long straight segment is cut as finely as a curve would be.
    const int pieces = std::clamp(static_cast<int>(std::ceil(std::fabs(rate - from) * kDropPieces)), 1, kDropPieces);
    const double width = (steps[i] - from_step) / pieces, fall = (from - rate) / pieces;
    for (int k = 0; k < pieces && drops_.size() < 4 * kDropPieces; ++k) {
      drops_.push_back({Share(from_step + (k + 0.5) * width), fall});
    }
    from_step = steps[i];
    from = rate;
  }
}

}  // namespace curvecast
