#pragma once

#include <optional>

#include "core/curve/curve.h"
#include "core/law/forecast.h"

namespace curvecast {

// How an objective reads as a loss. One that is minimised is its own loss. One that is to be maximised is taken for a
// share, such as an accuracy, if it keeps within 0 to 1, or within 0 to 100 (per cent): its loss is what is missing to
// the whole.
class Objective {
 public:
  Objective() = default;  // A loss.
  static Objective Loss() { return Objective(std::nullopt); }
  // Nothing if the curve is no share.
  static std::optional<Objective> Share(const Curve& curve);

  double ToLoss(double value) const { return whole_.has_value() ? *whole_ - value : value; }
  double FromLoss(double loss) const { return ToLoss(loss); }  // The same reflection.
  // Turns a forecast of the loss into one of the objective.
  void Restore(Forecast& forecast) const;

  template <class Archive>
  void Fields(Archive& archive) {
    archive(whole_);
  }

 private:
  explicit Objective(std::optional<double> whole) : whole_(whole) {}

  std::optional<double> whole_;
};

}  // namespace curvecast
