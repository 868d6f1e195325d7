#include "core/watch/tail.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace curvecast {
namespace {

constexpr std::array<int, Tail::kModels - 1> kFreedom = {2, 4, 6, 10};
// |z| at which the bins end; the last is open.
constexpr std::array<double, Tail::kBins - 1> kEdges = {1.5, 2, 2.5, 3, 3.5, 4, 5, 7, 10};
// Before any residual: most noise of training runs is normal (core/watch/README.md).
constexpr std::array<double, Tail::kModels> kPrior = {0.01, 0.03, 0.05, 0.11, 0.8};
constexpr std::array<double, Tail::kModels> kClip = {1.6, 2.0, 2.3, 3.0, 4.0};
constexpr std::array<double, Tail::kModels> kLargestShift = {0.5, 1, 1, 2, 4};
// Of the points of any run some are events, whatever its noise: one early spike must not pass for heavy tails and hide
// the next. They may lie in any bin from this one on.
constexpr double kSpikes = 0.002;
constexpr size_t kSpikeBin = 6;
constexpr double kMemory = 5000;  // Residuals: tails change along a run.
constexpr int64_t kChooseEvery = 16;
constexpr double kClipSquare = 9;  // NoiseScale's.

// P(T > t) of Student's t with an even number of degrees of freedom (Abramowitz and Stegun 26.7.4), t >= 0.
double UpperT(double t, int freedom) {
  const double root = std::sqrt(freedom + t * t), sine = t / root, cosine2 = freedom / (freedom + t * t);
  double term = 1, sum = 1;
  for (int k = 1; 2 * k <= freedom - 2; ++k) {
    term *= cosine2 * (2 * k - 1) / (2 * k);
    sum += term;
  }
  return std::max(0.0, 0.5 * (1 - sine * sum));
}

double UpperNormal(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

// One model, scaled.
struct Model {
  int freedom = 0;   // 0: normal.
  double scale = 1;  // Of t, so that E min(z^2, 9) is that of the normal.

  double Upper(double z) const { return freedom == 0 ? UpperNormal(z) : UpperT(z * scale, freedom); }
};

// E min(z^2, 9) = 2 x the integral of 2 z P(Z > z) from 0 to 3.
double ClippedMoment(const Model& model) {
  constexpr int kPieces = 600;
  const double width = std::sqrt(kClipSquare) / kPieces;
  double sum = 0;
  for (int i = 0; i < kPieces; ++i) {
    const double z = (i + 0.5) * width;
    sum += 4 * z * model.Upper(z) * width;
  }
  return sum;
}

struct Models {
  std::array<Model, Tail::kModels> all;
  std::array<std::array<double, Tail::kBins>, Tail::kModels> log_bin;

  Models() {
    const double normal = ClippedMoment(Model{});
    for (size_t i = 0; i < kFreedom.size(); ++i) {
      double low = 0.2, high = 3;
      all[i].freedom = kFreedom[i];
      for (int k = 0; k < 50; ++k) {
        all[i].scale = 0.5 * (low + high);
        // A larger scale makes z smaller.
        (ClippedMoment(all[i]) > normal ? low : high) = all[i].scale;
      }
    }
    for (size_t i = 0; i < all.size(); ++i) {
      double above = 1;
      for (size_t b = 0; b < Tail::kBins; ++b) {
        const double next = b < kEdges.size() ? 2 * all[i].Upper(kEdges[b]) : 0;
        const double spikes = b < kSpikeBin ? 0 : kSpikes / static_cast<double>(Tail::kBins - kSpikeBin);
        log_bin[i][b] = std::log((1 - kSpikes) * (above - next) + spikes);
        above = next;
      }
    }
  }
};

const Models& TheModels() {
  static const Models models;
  return models;
}

}  // namespace

void Tail::Add(double z) {
  const size_t bin = static_cast<size_t>(std::lower_bound(kEdges.begin(), kEdges.end(), std::fabs(z)) - kEdges.begin());
  counts_[bin] += 1;
  if (++seen_ % kChooseEvery != 0) return;
  double sum = 0;
  for (const double count : counts_) sum += count;
  if (sum > kMemory) {
    for (double& count : counts_) count *= kMemory / sum;
  }
  Choose();
}

void Tail::Choose() {
  const Models& models = TheModels();
  std::array<double, kModels> weight;
  double best = -INFINITY, sum = 0;
  for (size_t i = 0; i < kModels; ++i) {
    weight[i] = std::log(kPrior[i]);
    for (size_t b = 0; b < kBins; ++b) weight[i] += counts_[b] * models.log_bin[i][b];
    best = std::max(best, weight[i]);
  }
  for (double& w : weight) sum += w = std::exp(w - best);
  double below = 0;
  for (size_t i = 0; i < kModels; ++i) {
    below += weight[i];
    model_ = i;
    if (below >= 0.5 * sum) return;
  }
}

double Tail::Threshold(double p) const {
  // What is heavy may be heavier: half of it is the next model's. The truth lies between two of them.
  const Model& model = TheModels().all[model_];
  const Model& heavier = TheModels().all[model_ + 1 == kModels || model_ == 0 ? model_ : model_ - 1];
  const auto upper = [&](double z) { return 0.5 * (model.Upper(z) + heavier.Upper(z)); };
  double low = 0, high = 1;
  while (upper(high) > p && high < 1e9) high *= 2;
  for (int k = 0; k < 60; ++k) {
    const double middle = 0.5 * (low + high);
    (upper(middle) > p ? low : high) = middle;
  }
  return high;
}

double Tail::clip() const { return kClip[model_]; }
double Tail::largest_shift() const { return kLargestShift[model_]; }

}  // namespace curvecast
