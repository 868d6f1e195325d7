#pragma once

#include "core/law/features.h"
#include "core/law/plan.h"
#include "core/law/run_clock.h"

namespace curvecast {

// The law's features along one run, for steps that mostly rise: exact at nodes, linear between them, so that a point
// costs nanoseconds however long the run. Nodes lie 1/256 of the step apart, and where the schedule turns; what is
// between them is off by less than 3e-5 in the log loss of a run as finished runs were, once a thousandth
// of the run is over.
//
// A plan without an end, or a run that is past it, gets an end for its features' sake, and a new track when that is
// reached.
class FeatureTrack {
 public:
  // `newest`: where the run is. Holds a copy of the plan.
  FeatureTrack(const Plan& plan, Step newest);
  FeatureTrack(const FeatureTrack&) = delete;
  FeatureTrack& operator=(const FeatureTrack&) = delete;

  struct Place {
    double share = 0;  // x, > 0.
    bool warming = false;
    double rate = 1;  // Relative.
    bool sized = false;
    double step = 1;
    FeatureRow row;
  };
  bool Covers(Step step) const { return static_cast<double>(step) <= clock_.end(); }
  // Covers(step). A step below the one before costs more.
  const Place& At(double step);

  const RunClock& clock() const { return clock_; }
  const Plan& plan() const { return plan_; }  // With its end.

  // Of a track that was made with the same plan and end. The place is made anew by each At.
  template <class Archive>
  void Fields(Archive& archive) {
    archive(left_, right_);
  }

 private:
  struct Node {
    double step = 0, share = 0, rate = 1;
    FeatureRow row = FeatureRow::Zero();

    template <class Archive>
    void Fields(Archive& archive) {
      archive(step, share, rate, row);
    }
  };
  static Plan WithEnd(const Plan& plan, Step newest);
  void Bracket(double step);
  double NodeAfter(double step) const;
  Node MakeNode(double step) const;

  const Plan plan_;
  const RunClock clock_;  // Of plan_.
  Node left_, right_;
  Place place_;
};

}  // namespace curvecast
