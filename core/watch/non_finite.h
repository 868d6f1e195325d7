#pragma once

#include <string>
#include <vector>

#include "core/base/step.h"
#include "core/watch/raised_flag.h"

namespace curvecast {

// NON_FINITE: the loss is NaN or infinite. Raised at the first such point, over once kFinite finite ones have come in a
// row.
class NonFinite {
 public:
  static constexpr int kFinite = 8;

  explicit NonFinite(std::string metric) : metric_(std::move(metric)) {}

  void Add(Step step, double value, std::vector<FlagChange>& changes);
  void Supersede(Step from, std::vector<FlagChange>& changes) { flag_.Supersede(from, changes); }
  void End(Step newest, std::vector<FlagChange>& changes) { flag_.Resolve(Resolution::kEnded, newest, changes); }
  const RaisedFlag& flag() const { return flag_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(flag_, last_finite_, finite_);
  }

 private:
  const std::string metric_;
  RaisedFlag flag_;
  double last_finite_ = 0;
  int finite_ = 0;  // In a row.
};

}  // namespace curvecast
