#include "core/schedule/decay_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"

namespace curvecast {
namespace {

// Shares of the peak.
constexpr double kWorst = 0.01;        // A formula that misses by more is not the one.
constexpr double kFloor = 2e-5;        // Structure below this is rounding ...
constexpr double kShift = 0.1;         // ... or, over total_steps, a job that counts its steps from one or to one less.
constexpr double kBelow = 0.02;        // A decay that crosses 0 by less is taken to end at 0.
constexpr double kUnsure = 0.25;       // A final rate whose standard error is larger is not known.
constexpr double kHighestFinal = 0.3;  // Of a cosine or an exponential.
constexpr double kAlike = 0.05;        // Two decays that differ by less in what they foresee are one.

constexpr double kMisfitOfFall = 0.05;  // Misfit over the fall seen so far, at most.
constexpr double kStructure = 3;        // Misfit over the noise between neighbours, at most.
constexpr double kApart = 2;            // Misfit of the next best decay over the best, at least.
constexpr double kBehind = 1.05;        // Misfit of the best over that of a better one that nobody uses, at most.
constexpr double kNothing = 1e-7;       // A misfit below this is the arithmetic's.
constexpr size_t kFewestFalling = 6;    // Rates below the peak.
constexpr size_t kMostHeld = 8, kMostFalling = 32;  // Used for fitting: evenly thinned.
constexpr int kGrid = 8, kRefinements = 20;         // Of the search for the decay's start ...
constexpr double kOnset = 0.15;                     // ... which lies this share of the rest before the fall is seen.
constexpr std::array<Decay, 4> kDecays = {Decay::kCosine, Decay::kLinear, Decay::kExponential, Decay::kOneMinusSqrt};

// Fits one decay to the same rates again and again.
class Fitter {
 public:
  Fitter(Decay decay, const std::vector<LoggedRate>& rates, double end)
      : decay_(decay), rates_(rates), end_(end), fallen_(rates.size()) {}

  // The best level and fall for a start.
  DecayFit At(double start) {
    DecayFit fit;
    fit.decay = decay_;
    fit.start = start;
    const bool in_logs = decay_ == Decay::kExponential;
    double weight = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < rates_.size(); ++i) {
      const double rate = rates_[i].rate, fallen = fallen_[i] = fit.Fallen(rates_[i], end_);
      const double w = in_logs ? rate * rate : 1, value = in_logs ? std::log(std::max(rate, 1e-300)) : rate;
      weight += w;
      x += w * fallen;
      y += w * value;
      xx += w * fallen * fallen;
      xy += w * fallen * value;
    }
    const double spread = xx - x * x / weight;
    if (!(spread > 0)) return fit;
    fit.fall = -(xy - x * y / weight) / spread;
    const double level = (y + fit.fall * x) / weight;
    fit.level = in_logs ? std::exp(level) : level;
    fit.final_rate = fit.Model(1);
    fit.misfit = Misfit(fit);
    fit.final_sd = fit.misfit / std::sqrt(spread) * (in_logs ? fit.final_rate : 1);
    return fit;
  }

  // The best level for the start of `fit` if it ends at 0.
  void EndAtZero(DecayFit& fit) {
    double xx = 0, xy = 0;
    for (size_t i = 0; i < rates_.size(); ++i) {
      fallen_[i] = fit.Fallen(rates_[i], end_);
      xx += (1 - fallen_[i]) * (1 - fallen_[i]);
      xy += (1 - fallen_[i]) * rates_[i].rate;
    }
    fit.level = fit.fall = xy / xx;
    fit.final_rate = 0;
    fit.misfit = Misfit(fit);
  }

 private:
  double Misfit(const DecayFit& fit) const {
    double squares = 0;
    for (size_t i = 0; i < rates_.size(); ++i) {
      const double off = rates_[i].rate - fit.Model(fallen_[i]);
      squares += off * off;
    }
    return std::sqrt(squares / static_cast<double>(rates_.size()));
  }

  const Decay decay_;
  const std::vector<LoggedRate>& rates_;
  const double end_;
  std::vector<double> fallen_;  // g at each rate for the newest start.
};

// Searches the start in [low, high]: on a grid, then by golden sections around its best.
DecayFit FitDecay(Decay decay, const std::vector<LoggedRate>& rates, double low, double high, double end) {
  Fitter fitter(decay, rates, end);
  DecayFit best = fitter.At(low);
  const double cell = (high - low) / kGrid;
  for (int k = 1; k <= kGrid && cell > 0; ++k) {
    const DecayFit fit = fitter.At(low + k * cell);
    if (fit.misfit < best.misfit) best = fit;
  }
  double left = std::max(low, best.start - cell), right = std::min(high, best.start + cell);
  constexpr double kGolden = 0.6180339887498949;
  DecayFit a = fitter.At(right - kGolden * (right - left)), b = fitter.At(left + kGolden * (right - left));
  for (int i = 0; i < kRefinements && right > left; ++i) {
    if (a.misfit < b.misfit) {
      right = b.start;
      b = a;
      a = fitter.At(right - kGolden * (right - left));
    } else {
      left = a.start;
      a = b;
      b = fitter.At(left + kGolden * (right - left));
    }
    const DecayFit& better = a.misfit < b.misfit ? a : b;
    if (better.misfit < best.misfit) best = better;
  }
  const bool ends_at_zero = best.final_rate < kNothing && best.final_rate >= -kBelow;
  if (ends_at_zero && decay != Decay::kExponential) fitter.EndAtZero(best);
  return best;
}

// What neighbouring residuals differ by, as the standard deviation of noise that would do that.
double NoiseOf(const DecayFit& fit, const std::vector<LoggedRate>& rates, double end) {
  std::vector<double> off;
  for (const LoggedRate& r : rates) off.push_back(r.rate - fit.Model(fit.Fallen(r, end)));
  double squares = 0;
  for (size_t i = 1; i + 1 < off.size(); ++i) {
    squares += std::pow(off[i] - 0.5 * (off[i - 1] + off[i + 1]), 2) / 1.5;
  }
  return std::sqrt(squares / static_cast<double>(off.size() - 2));
}

// A decay that people use. A cosine, from its first part, is told from one with another end by its final rate alone,
// and an exponential from a straight line; the others go on to total_steps as they began, whatever their end.
bool Plausible(const DecayFit& fit) {
  const bool bends = fit.decay == Decay::kCosine || fit.decay == Decay::kExponential;
  return fit.fall > 0 && fit.final_rate >= 0 && fit.level <= 1.1 && fit.level >= 1 - 2 * kWorst &&
         (!bends || fit.final_rate <= kHighestFinal);
}

bool Explains(const DecayFit& fit, const std::vector<LoggedRate>& rates, double end) {
  const double seen = fit.level - rates.back().rate;
  const double structure = kStructure * NoiseOf(fit, rates, end) + kFloor + kShift / end;
  return fit.misfit <= kWorst && fit.misfit <= kMisfitOfFall * seen && fit.misfit <= structure &&
         fit.final_sd <= kUnsure;
}

// Whether both go on alike from `now`.
bool Alike(const DecayFit& a, const DecayFit& b, double now, double end) {
  for (const double part : {0.25, 0.5, 0.75, 1.0}) {
    const double step = now + part * (end - now);
    const double ra = a.Model(a.Fallen((step - a.start) / (end - a.start)));
    const double rb = b.Model(b.Fallen((step - b.start) / (end - b.start)));
    if (std::fabs(ra - rb) > kAlike) return false;
  }
  return true;
}

// At most `most` + 1 of [first, last), at even distances in steps, with both ends: the newest bins are the finest.
void Thin(const std::vector<LoggedRate>& rates, size_t first, size_t last, size_t most, std::vector<LoggedRate>& out) {
  if (first == last) return;
  const double gap = (rates[last - 1].step - rates[first].step) / static_cast<double>(most);
  double due = rates[first].step;
  for (size_t i = first; i < last; ++i) {
    if (rates[i].step < due && i + 1 < last) continue;
    out.push_back(rates[i]);
    due = std::max(due + gap, rates[i].step);
  }
}

}  // namespace

double DecayFit::Fallen(double progress) const {
  const double u = std::clamp(progress, 0.0, 1.0);
  switch (decay) {
    case Decay::kNone:
      return 0;
    case Decay::kCosine:
      return 0.5 - 0.5 * std::cos(M_PI * u);
    case Decay::kLinear:
    case Decay::kExponential:
      return u;
    case Decay::kOneMinusSqrt:
      return std::sqrt(u);
  }
  CURVECAST_CHECK(false);
}

double DecayFit::Fallen(const LoggedRate& at, double end) const {
  const double scale = 1 / (end - start), u = (at.step - start) * scale;
  if (at.spread == 0) return Fallen(u);
  return 0.5 * (Fallen(u - at.spread * scale) + Fallen(u + at.spread * scale));
}

double DecayFit::Model(double fallen) const {
  return decay == Decay::kExponential ? level * std::exp(-fall * fallen) : level - fall * fallen;
}

std::optional<DecayFit> FindDecay(const std::vector<LoggedRate>& rates, size_t top, size_t fell, double end) {
  if (rates.size() - fell < kFewestFalling) return std::nullopt;
  std::vector<LoggedRate> used;
  Thin(rates, top, fell, kMostHeld, used);
  Thin(rates, fell, rates.size(), kMostFalling, used);
  const double high = std::min(rates[fell].step, 0.999 * end);
  // It may start inside the bin before the peak, whose mean the warm-up then lowers.
  const double before = top == 0 ? 0 : rates[top - 1].step - std::sqrt(3.0) * rates[top - 1].spread;
  const double low = std::max(before, high - kOnset * (end - high));
  std::vector<DecayFit> plausible;
  double least = std::numeric_limits<double>::infinity();
  for (Decay decay : kDecays) {
    const DecayFit fit = FitDecay(decay, used, low, high, end);
    least = std::min(least, fit.misfit);
    if (Plausible(fit)) plausible.push_back(fit);
  }
  if (plausible.empty()) return std::nullopt;
  std::sort(plausible.begin(), plausible.end(),
            [](const DecayFit& a, const DecayFit& b) { return a.misfit < b.misfit; });
  const DecayFit& best = plausible[0];
  if (best.misfit > kBehind * least + kNothing || !Explains(best, used, end)) return std::nullopt;
  for (const DecayFit& other : plausible) {
    if (other.misfit < kApart * best.misfit + kNothing && !Alike(best, other, rates.back().step, end))
      return std::nullopt;
  }
  return best;
}

}  // namespace curvecast
