#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/belief.h"
#include "core/law/features.h"
#include "core/law/plan.h"
#include "core/law/prior.h"
#include "core/law/traits.h"

namespace curvecast {

// What makes runs of one project akin, besides their traits.
struct Descent {
  std::string run_id;
  std::string family;
  std::vector<std::pair<std::string, std::string>> labels;  // By key.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(run_id, family, labels);
  }
};

// A finished run, as those that come after lean on it: its curve is the law's at these coefficients.
struct Relative {
  Descent descent;
  RateKind kind = RateKind::kUnknown;
  Traits traits;
  // The coefficients that its curve and the prior give; the first is the log of its final loss. What the curve alone
  // says of them is in the sums: the density is exp(-c' precision c / 2 + c' pull).
  Coefficients coefficients = Coefficients::Zero();
  CoefficientMatrix precision = CoefficientMatrix::Zero();
  Coefficients pull = Coefficients::Zero();
  double stray = 0;  // Standard deviation of the log loss about the law, beyond noise.
  double noise = 0;  // Of a single point.
  // What the curve is beside the law at `coefficients`, and how that moves with them: row k of `bend_rows` is the mean
  // of the features where offset k was read, the last one's that of the end.
  Bend bend;
  Eigen::Matrix<float, static_cast<int>(kBentAt.size() + 1), static_cast<int>(kCoefficients)> bend_rows = {};

  template <class Archive>
  void Fields(Archive& archive) {
    archive(descent, kind, traits, coefficients, precision, pull, stray, noise, bend, bend_rows);
  }
};

// Nothing if the run did not reach its end, or is one that the law does not hold (maximised, not positive).
std::optional<Relative> MakeRelative(Descent descent, const Curve& curve, const Plan& plan, const Prior& prior);

}  // namespace curvecast
