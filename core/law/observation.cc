#include "core/law/observation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace curvecast {
namespace {

constexpr double kLowestShare = 1e-6;
constexpr double kSpan = 200;  // The oldest observation lies at the newest share over this.
// At most 62 cells and a half-filled one at each end: some by the logarithm of x, some by x, most by steps, since x
// stands still where the rate goes to 0 and the loss does not.
constexpr double kByLog = 20, kByShare = 12, kByStep = 30;
constexpr double kLeastNoise = 1e-4;   // Of a single point. Smoothed logs repeat values.
constexpr double kNoiseGuess = 0.003;  // Of a single point where nothing tells.
constexpr double kGuessWeight = 3;     // Kinks' worth.
constexpr double kOutlier = 5;         // Standard deviations.
constexpr double kOutlierSlack = 0.02;
constexpr size_t kHampelReach = 5;     // Observations on each side.
constexpr double kSurroundings = 0.1;  // In log x.
constexpr double kWarmupDoubt = 0.05;  // Log level: the law is one of the time after warm-up.

struct Cell {
  double share = 0, step = 0, mean = 0, count = 0;
  bool warming = false;
};

std::vector<Cell> Cells(const Curve& curve, const RunClock& clock) {
  std::vector<Cell> cells;
  const double newest = static_cast<double>(curve.last_step()), now = clock.Share(newest);
  const double floor = std::max(kLowestShare, now / kSpan);
  const double per_log = kByLog / std::log(kSpan), per_share = kByShare / now, per_step = kByStep / newest;
  double last_cell = -1;
  for (const Bin& bin : curve.bins()) {
    const double share = clock.Share(bin.mean_step);
    if (share < floor) continue;
    const bool warming = bin.mean_step <= clock.warmup_end();
    const double cell = std::floor(per_log * std::log(share / floor) + per_share * share + per_step * bin.mean_step);
    const double n = static_cast<double>(bin.count);
    const bool same = cell == last_cell && (cells.empty() || cells.back().warming == warming);
    if (!same && cells.size() < kMaxObservations) cells.push_back({.warming = warming});
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

// How far a residual lies off the line between its neighbours', over what a unit of point noise would make of that.
struct Kink {
  double off, per_noise;
};

Kink KinkAt(const std::vector<Observation>& points, const std::vector<double>& residuals, size_t i) {
  const double span = points[i + 1].share - points[i - 1].share;
  const double wl = span > 0 ? (points[i + 1].share - points[i].share) / span : 0.5, wr = 1 - wl;
  const double off = residuals[i] - wl * residuals[i - 1] - wr * residuals[i + 1];
  return {off, std::sqrt(1 / points[i].count + wl * wl / points[i - 1].count + wr * wr / points[i + 1].count)};
}

// How far a level lies off the median of those around it, itself included: Hampel's identifier. Of a curve that only
// falls, however fast, that is nothing; a spike that is several cells wide lies off it as a narrow one does.
double OffMedian(const std::vector<double>& levels, size_t i) {
  const size_t reach = std::min({kHampelReach, i, levels.size() - 1 - i});
  std::array<double, 2 * kHampelReach + 1> around;
  std::copy_n(levels.begin() + static_cast<std::ptrdiff_t>(i - reach), 2 * reach + 1, around.begin());
  const auto middle = around.begin() + static_cast<std::ptrdiff_t>(reach);
  std::nth_element(around.begin(), middle, middle + static_cast<std::ptrdiff_t>(reach) + 1);
  return levels[i] - *middle;
}

void MarkOutliers(Observations& seen) {
  std::vector<double> levels;
  for (const Observation& p : seen.points) levels.push_back(p.level);
  const double noise = PointNoise(seen, levels, kNoiseGuess);
  for (size_t i = 1; i + 1 < seen.points.size(); ++i) {
    const Kink kink = KinkAt(seen.points, levels, i);
    const double reach = kOutlier * kink.per_noise * noise + kOutlierSlack;
    const double off = std::max(std::fabs(kink.off), std::fabs(OffMedian(levels, i)));
    if (off > reach) seen.points[i].variance += off * off;
  }
}

void CountCrowds(std::vector<Observation>& points) {
  const double reach = std::exp(kSurroundings);
  size_t first = 0, last = 0;
  for (Observation& p : points) {
    while (p.share > reach * points[first].share) ++first;
    while (last + 1 < points.size() && points[last + 1].share <= reach * p.share) ++last;
    p.crowd = std::max(1.0, static_cast<double>(last + 1 - first) / 2);
  }
}

// Sets `newest`, and `origin` as the mean of the levels there, each by the count behind it.
void FindNewest(Observations& seen) {
  double sum = 0, count = 0;
  for (size_t i = seen.points.size(); i-- > 0;) {
    const Observation& p = seen.points[i];
    if (count > 0 && p.share < 0.97 * seen.points.back().share) break;
    sum += p.count * p.level;
    count += p.count;
    ++seen.newest;
  }
  seen.origin = sum / count;
}

double Lowest(const std::vector<Observation>& points) {
  double lowest = 0;
  for (size_t i = 2; i + 2 < points.size(); ++i) {
    // The middle of three: a single low value is noise.
    const double a = points[i - 1].level, b = points[i].level, c = points[i + 1].level;
    lowest = std::min(lowest, std::max(std::min(a, b), std::min(std::max(a, b), c)));
  }
  return lowest;
}

}  // namespace

ObserveResult Observe(const Curve& curve, const RunClock& clock, const Objective& objective) {
  ObserveResult result;
  Observations& seen = result.observations;
  std::vector<Place> places;
  for (const Cell& c : Cells(curve, clock)) {
    const double loss = objective.ToLoss(c.mean);
    if (!(loss > 0)) {
      result.outside = true;
      return result;
    }
    const double doubt = c.warming ? kWarmupDoubt : 0, youth = clock.YouthDoubt(c.step);
    seen.points.push_back({.share = c.share,
                           .progress = clock.Progress(c.step),
                           .level = std::log(loss),
                           .count = c.count,
                           .variance = doubt * doubt + youth * youth,
                           .warming = c.warming});
    places.push_back({c.share, clock.Rate(c.step)});
  }
  if (seen.points.empty()) return result;
  seen.rows = Features(clock, places);
  FindNewest(seen);
  for (Observation& p : seen.points) p.level -= seen.origin;
  MarkOutliers(seen);
  CountCrowds(seen.points);
  seen.lowest = Lowest(seen.points);
  const double span = static_cast<double>(curve.last_step() - curve.bins().front().first_step);
  seen.points_per_step = static_cast<double>(curve.points()) / std::max(1.0, span);
  return result;
}

double PointNoise(const Observations& seen, const std::vector<double>& residuals, double guess) {
  constexpr double kOldest = 0.15;  // Of the newest share: noise changes along a run.
  std::vector<double> kinks;
  for (size_t i = 1; i + 1 < seen.points.size(); ++i) {
    const Observation& before = seen.points[i - 1];
    if (before.warming || before.share < kOldest * seen.newest_share()) continue;
    const Kink kink = KinkAt(seen.points, residuals, i);
    kinks.push_back(std::fabs(kink.off) / kink.per_noise);
  }
  if (kinks.empty()) return guess;
  std::nth_element(kinks.begin(), kinks.begin() + static_cast<std::ptrdiff_t>(kinks.size() / 2), kinks.end());
  const double n = static_cast<double>(kinks.size()), noise = 1.4826 * kinks[kinks.size() / 2];
  const double log_noise =
      (n * std::log(std::max(noise, 0.1 * kLeastNoise)) + kGuessWeight * std::log(guess)) / (n + kGuessWeight);
  return std::max(kLeastNoise, std::exp(log_noise));
}

}  // namespace curvecast
