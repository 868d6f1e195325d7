#include "core/family/relative.h"

#include <algorithm>

#include "core/law/archetype_train.h"
#include "core/law/posterior.h"

namespace curvecast {
namespace {

constexpr double kTail = 0.99;     // Past this progress the values are the run's end.
constexpr double kFarthest = 0.5;  // Of an offset: beyond, it is a fault and no bend.

// Means over the observations around each kBentAt, and over the end: of the residual and of the features. Where there
// is no observation, those of the nearest that has.
void FillBend(const Observations& seen, const Coefficients& at, Relative& relative) {
  const std::vector<double> residuals = Residuals(seen, at);
  constexpr size_t kCells = kBentAt.size();
  std::array<double, kCells + 1> sums = {}, counts = {};
  std::array<FeatureRow, kCells + 1> rows;
  rows.fill(FeatureRow::Zero());
  const auto add = [&](size_t cell, size_t i) {
    const double n = seen.points[i].count;
    sums[cell] += n * std::clamp(residuals[i], -kFarthest, kFarthest);
    rows[cell] += n * seen.rows[i];
    counts[cell] += n;
  };
  size_t cell = 0;
  for (size_t i = 0; i < residuals.size(); ++i) {
    const double progress = seen.points[i].progress;
    while (cell + 1 < kCells && progress > 0.5 * (kBentAt[cell] + kBentAt[cell + 1])) ++cell;
    add(cell, i);
    if (progress > kTail || i + 1 == residuals.size()) add(kCells, i);
  }
  const auto set = [&](size_t to, size_t from) {
    const double offset = sums[from] / counts[from];
    (to < kCells ? relative.bend.offsets[to] : relative.bend.end) = offset;
    relative.bend_rows.row(static_cast<Eigen::Index>(to)) = (rows[from] / counts[from]).cast<float>().transpose();
  };
  set(kCells, kCells);
  for (size_t i = 0; i < kCells; ++i) {
    for (size_t far = 0; far < kCells; ++far) {
      const bool left = far <= i && counts[i - far] > 0;
      if (!left && (i + far >= kCells || !(counts[i + far] > 0))) continue;
      set(i, left ? i - far : i + far);
      break;
    }
  }
}

}  // namespace

std::optional<Relative> MakeRelative(Descent descent, const Curve& curve, const Plan& plan, const Prior& prior) {
  if (!plan.total_steps.has_value() || *plan.total_steps <= 0) return std::nullopt;
  const RateKind kind = RunClock(plan, curve.last_step()).kind();
  const std::optional<Example> example = MakeExample(descent.family, curve, plan, kind);
  if (!example.has_value()) return std::nullopt;
  const Archetype& any = prior.Of(kind).any();
  const Observations& seen = example->seen;
  Coefficients mean = any.mean;
  mean(0) = 0;
  const double noise = PointNoise(seen, Residuals(seen, mean), any.noise);
  const Evidence evidence = Weigh(seen, any.stray, noise);
  Posterior posterior = Update(any.loose, mean, evidence);
  if (!posterior.mean.allFinite()) return std::nullopt;
  const double stray = StrayOf(seen, posterior.mean, noise);
  Relative relative;
  relative.descent = std::move(descent);
  relative.kind = kind;
  relative.traits = example->traits;
  FillBend(seen, posterior.mean, relative);
  posterior.mean(0) += seen.origin;
  relative.coefficients = posterior.mean;
  relative.precision = evidence.rows;
  relative.pull = evidence.levels + seen.origin * evidence.rows.col(0);
  relative.stray = stray;
  relative.noise = noise;
  return relative;
}

}  // namespace curvecast
