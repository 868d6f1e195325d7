#pragma once

#include <string>
#include <vector>

#include "core/base/step.h"
#include "core/watch/noise.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// GRAD_NORM: the norm of the gradient is far above where it was, once by much (a factor of kBurst and beyond the tails
// of its own noise) or for some time (a factor of kHigh). Norms are compared as logarithms with their own slow mean;
// there is no law for them.
class NormWatch {
 public:
  static constexpr double kBurst = 10, kHigh = 3;

  explicit NormWatch(std::string metric) : metric_(std::move(metric)) {}

  // A norm past all before it. `mean_points`: between two false alarms of all tests of the run.
  void Add(Step step, double norm, double mean_points, std::vector<FlagChange>& changes);
  void Supersede(Step from, std::vector<FlagChange>& changes) {
    flag_.Supersede(from, changes);
    if (high_since_ >= from) high_ = false;
  }
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_, noise_, points_, slow_, fast_, calm_, high_since_, high_);
  }

 private:
  void Raise(Step step, double norm, double statistic, double threshold, double mean_points,
             std::vector<FlagChange>& changes);

  const std::string metric_;
  RaisedFlag flag_;
  Noise noise_{0.3, 4};
  int64_t points_ = 0;
  double slow_ = 0;  // Mean log norm, long ...
  double fast_ = 0;  // ... and short.
  int calm_ = 0;
  Step high_since_ = 0;
  bool high_ = false;
};

}  // namespace curvecast
