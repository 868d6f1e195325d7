#include "core/law/observation.h"

#include <algorithm>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kLowestRate = 1e-3;  // Luo et al. 2025 clip here.
constexpr double kLowestShare = 1e-6;
constexpr int kDropPieces = 24;
constexpr double kNoiseFloor = 2e-4;   // Of a single point, relative. Smoothed logs repeat values.
constexpr double kNoiseGuess = 0.01;   // Where too few points tell.
constexpr double kOutlier = 5;         // Standard deviations.
constexpr double kSurroundings = 0.1;  // In log x.

// Bins as the law wants them: few, and spaced by the logarithm early and evenly late, now in x instead of steps.
struct Cell {
  double share = 0, step = 0, mean = 0, count = 0;
};

std::vector<Cell> Cells(const Curve& curve, const RunClock& clock) {
  std::vector<Cell> cells;
  const double now = clock.Share(static_cast<double>(curve.last_step()));
  const double floor = std::max(kLowestShare, 0.005 * now);
  // At most kMaxObservations cells: the logarithm spans log(200).
  const double per_log = (kMaxObservations / 2 - 1) / std::log(200.0), per_share = (kMaxObservations / 2 - 1) / now;
  double last_cell = -1;
  for (const Bin& bin : curve.bins()) {
    if (bin.mean_step <= clock.warmup_end()) continue;
    const double share = clock.Share(bin.mean_step);
    if (share < floor) continue;
    const double cell = std::floor(per_log * std::log(share / floor) + per_share * share);
    const double n = static_cast<double>(bin.count);
    if (cell != last_cell) cells.push_back({});
    last_cell = cell;
    Cell& c = cells.back();
    c.count += n;
    const double part = n / c.count;
    c.step += (bin.mean_step - c.step) * part;
    c.mean = c.mean * (1 - part) + bin.mean * part;
  }
  for (Cell& c : cells) c.share = clock.Share(c.step);
  return cells;
}

// How far point i lies off the line between its neighbours, over what a unit of point noise would make of that.
struct Kink {
  double off, per_noise;
};

Kink KinkAt(const std::vector<Cell>& cells, const std::vector<Observation>& points, size_t i) {
  const double left = std::log(points[i].share / points[i - 1].share);
  const double right = std::log(points[i + 1].share / points[i].share);
  const double span = left + right;
  const double wl = span > 0 ? right / span : 0.5, wr = 1 - wl;
  const double off = points[i].level - wl * points[i - 1].level - wr * points[i + 1].level;
  return {off, std::sqrt(1 / cells[i].count + wl * wl / cells[i - 1].count + wr * wr / cells[i + 1].count)};
}

double PointNoise(const std::vector<Cell>& cells, const std::vector<Observation>& points) {
  std::vector<double> kinks;
  // The newer half: noise changes along a run.
  for (size_t i = std::max<size_t>(1, points.size() / 2); i + 1 < points.size(); ++i) {
    const Kink kink = KinkAt(cells, points, i);
    kinks.push_back(std::fabs(kink.off) / kink.per_noise);
  }
  if (kinks.empty()) return kNoiseGuess;
  std::nth_element(kinks.begin(), kinks.begin() + static_cast<std::ptrdiff_t>(kinks.size() / 2), kinks.end());
  const double noise = 1.4826 * kinks[kinks.size() / 2];
  // A few kinks are a weak witness: lean on the guess with the weight of two.
  const double n = static_cast<double>(kinks.size());
  return std::max(kNoiseFloor, (n * noise + 2 * std::min(kNoiseGuess, 3 * noise + kNoiseFloor)) / (n + 2));
}

void MarkOutliers(const std::vector<Cell>& cells, Observations& seen) {
  std::vector<double> extra(seen.points.size(), 0.0);
  for (size_t i = 1; i + 1 < seen.points.size(); ++i) {
    const Kink kink = KinkAt(cells, seen.points, i);
    const double limit = kOutlier * kink.per_noise * seen.noise + 0.02;
    if (std::fabs(kink.off) > limit) extra[i] = kink.off * kink.off;
  }
  for (size_t i = 0; i < extra.size(); ++i) seen.points[i].variance += extra[i];
}

void CountCrowds(std::vector<Observation>& points) {
  size_t first = 0, last = 0;
  for (Observation& p : points) {
    while (std::log(p.share / points[first].share) > kSurroundings) ++first;
    while (last + 1 < points.size() && std::log(points[last + 1].share / p.share) <= kSurroundings) ++last;
    p.crowd = static_cast<double>(std::max<size_t>(1, last + 1 - first)) / 2;
    p.crowd = std::max(1.0, p.crowd);
  }
}

// Mean of the levels over the last 3 % of x, each by the count behind it.
double NewestLevel(const std::vector<Cell>& cells, const std::vector<Observation>& points) {
  double sum = 0, count = 0;
  for (size_t i = points.size(); i-- > 0;) {
    if (count > 0 && points[i].share < 0.97 * points.back().share) break;
    sum += cells[i].count * points[i].level;
    count += cells[i].count;
  }
  return sum / count;
}

double Lowest(const std::vector<Observation>& points) {
  double lowest = 0;
  for (size_t i = 2; i + 2 < points.size(); ++i) {
    // The middle of three: a single low value is noise.
    double a = points[i - 1].level, b = points[i].level, c = points[i + 1].level;
    lowest = std::min(lowest, std::max(std::min(a, b), std::min(std::max(a, b), c)));
  }
  return lowest;
}

}  // namespace

RunClock::RunClock(const Plan& plan, Step newest)
    : schedule_(plan.schedule.has_value() ? &*plan.schedule : nullptr),
      kind_(RateKind::kUnknown),
      end_(static_cast<double>(std::max(*plan.total_steps, newest))) {
  if (schedule_ == nullptr) return;
  summed_end_ = schedule_->SummedRate(end_);
  // A plan that never trains before its end says nothing; plain steps do.
  if (!(summed_end_ > 0) || schedule_->warmup_end() >= end_) {
    schedule_ = nullptr;
    return;
  }
  kind_ = schedule_->RelativeRate(end_) < 0.9 ? RateKind::kDecaying : RateKind::kConstant;
  if (kind_ == RateKind::kDecaying || !schedule_->constant()) FindDrops();
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
      drops_.push_back({Share(from_step + (k + 0.5) * width), fall, from - (k + 1) * fall});
    }
    from_step = steps[i];
    from = rate;
  }
}

ObserveResult Observe(const Curve& curve, const RunClock& clock) {
  ObserveResult result;
  Observations& seen = result.observations;
  const std::vector<Cell> cells = Cells(curve, clock);
  if (cells.empty()) return result;
  for (const Cell& c : cells) {
    if (!(c.mean > 0)) {
      result.outside = true;
      return result;
    }
    seen.points.push_back(
        {.share = c.share, .rate = clock.Rate(c.step), .level = std::log(c.mean), .variance = 0, .crowd = 1});
  }
  seen.origin = NewestLevel(cells, seen.points);
  for (Observation& p : seen.points) p.level -= seen.origin;
  seen.noise = PointNoise(cells, seen.points);
  for (size_t i = 0; i < cells.size(); ++i) seen.points[i].variance = seen.noise * seen.noise / cells[i].count;
  MarkOutliers(cells, seen);
  CountCrowds(seen.points);
  seen.lowest = Lowest(seen.points);
  const double span = static_cast<double>(curve.last_step() - curve.bins().front().first_step);
  seen.points_per_step = static_cast<double>(curve.points()) / std::max(1.0, span);
  return result;
}

}  // namespace curvecast
