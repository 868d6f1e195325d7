#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/law/forecast.h"
#include "core/law/prior.h"

namespace curvecast {

// How a forecast came out, with what is needed to learn from it.
struct Outcome {
  std::string source;  // Or the project.
  std::string family;
  RateKind kind = RateKind::kUnknown;
  Support support = Support::kNone;
  double progress = 0;
  double miss = 0;  // As Miss gives it, with all factors at 1.
};

// How many times the interval's half on the truth's side the truth lies off the median, in log: the factor that would
// just have covered it (the conformity score of split conformal prediction, Vovk et al. 2005; scaled, Lei et al. 2018).
// Forecast and truth are positive.
double Miss(const Forecast& forecast, double actual);

// The index of the bucket of kFactorProgress that a progress belongs to.
size_t BucketOf(double progress);

// Sets the prior's factors: near each progress, the geometric mean over sources (one of few outcomes weighs less) of
// the factor by which the 90 % interval would have held 90 % of that source's outcomes, families weighing alike, and at
// least 1: a handful of sources is no reason to be surer than the mixture. Buckets that fewer than three sources have
// take those of kind kUnknown, and without those stay.
void LearnFactors(const std::vector<Outcome>& outcomes, Prior& prior);

// What a project's own finished runs say of its intervals, on top of the prior's factors: the newest kMost misses of
// each bucket, together with kPriorMisses that stand for the prior, so that ten runs say little and a hundred decide.
class ProjectMisses {
 public:
  static constexpr size_t kMost = 256;
  static constexpr double kPriorMisses = 30;

  // A miss of a forecast that was made with `factors`.
  void Add(double progress, double miss, const IntervalFactors& factors);
  IntervalFactors Factors(const IntervalFactors& prior) const;
  size_t size(size_t bucket) const { return misses_[bucket].size(); }

 private:
  std::array<std::vector<double>, kFactorProgress.size()> misses_;  // For a factor of 1; oldest first.
};

}  // namespace curvecast
