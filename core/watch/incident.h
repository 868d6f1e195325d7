#pragma once

#include <cstdint>
#include <optional>

#include "core/watch/flag.h"
#include "core/watch/reference.h"

namespace curvecast {

// A deviation of the curve that has been flagged, from its raising on: how far the points lie off the reference as it
// was before, whether that grows, and when it is over.
class Incident {
 public:
  struct Opened {
    Flag flag;
    double sign = 1;     // 1: above the reference, -1: below.
    Reference frozen;    // As it was without the deviation.
    double excess = 0;   // Now, in log loss, >= 0.
    int64_t points = 1;  // Since it began.

    template <class Archive>
    void Fields(Archive& archive) {
      archive(flag, sign, frozen, excess, points);
    }
  };
  Incident() : Incident(Opened{}) {}  // To be read from an archive.
  explicit Incident(Opened opened) : opened_(std::move(opened)), excess_(opened_.excess), peak_(opened_.excess) {}

  // A point of this log loss; the noise of a point.
  void Add(double level, const FeatureRow& row, double point_sd);

  // The law's features have changed: where the curve would be without the deviation is said anew.
  void Freeze(const Reference& frozen) { opened_.frozen = frozen; }

  Flag& flag() { return opened_.flag; }
  const Flag& flag() const { return opened_.flag; }
  const Reference& frozen() const { return opened_.frozen; }
  double sign() const { return opened_.sign; }
  double excess() const { return excess_; }  // Mean of the newest, >= 0 on its own side.
  double peak() const { return peak_; }
  double expected() const { return expected_; }  // Log loss at the newest point.
  int64_t points() const { return opened_.points; }
  int64_t since_raised() const { return since_; }
  // The newest lie off by more than their noise explains, and not only some of them by much.
  bool persists(double point_sd) const;
  // The newest points lie where the reference has them.
  bool recovered() const { return calm_ >= kCalm; }

  static constexpr int kCalm = 3;  // Points.

  template <class Archive>
  void Fields(Archive& archive) {
    archive(opened_, excess_, held_, peak_, expected_, since_, calm_);
  }

 private:
  Opened opened_;
  double excess_;
  double held_ = 0;  // The same since it was raised, each point as far as noise goes.
  double peak_;
  double expected_ = 0;
  int64_t since_ = 0;
  int calm_ = 0;
};

}  // namespace curvecast
