#pragma once

namespace curvecast {

// Tells that the loss itself has risen: it lies well above the lowest level that the reference ever had, for some
// points in a row, and is not on its way back. It needs no law: a train loss that rises is news whatever was expected,
// unless the rate rose.
class Divergence {
 public:
  // `level`: log loss of a point; `smooth`: of the newest few; `reference`: of the law's curve here; all with the noise
  // of a point, and the relative rate.
  void Add(double level, double smooth, double reference, double point_sd, double rate);
  // The reference starts anew from this level.
  void Restart(double reference);

  bool diverging() const { return in_row_ >= kInRow; }
  // Over the lowest level, log loss: of the newest point, or of the mean of the newest where only that is high.
  double rise() const { return rise_; }
  double threshold() const { return threshold_; }  // Of that rise.
  double lowest() const { return lowest_; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(lowest_, rate_, highest_, rise_, threshold_, in_row_);
  }

 private:
  static constexpr int kInRow = 3;
  double lowest_ = 1e300;
  double rate_ = 1;     // At the lowest level.
  double highest_ = 0;  // Rise of this stretch.
  double rise_ = 0, threshold_ = 0;
  int in_row_ = 0;
};

}  // namespace curvecast
