#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/curve/curve.h"
#include "core/law/objective.h"
#include "core/law/plan.h"
#include "core/law/prior.h"
#include "core/watch/change_bank.h"
#include "core/watch/divergence.h"
#include "core/watch/feature_track.h"
#include "core/watch/flag.h"
#include "core/watch/incident.h"
#include "core/watch/noise.h"
#include "core/watch/noise_change.h"
#include "core/watch/reference.h"
#include "core/watch/spike_test.h"

namespace curvecast {

// Watches a loss, point by point: SPIKE, SHIFT, DRIFT, PLATEAU, DIVERGENCE, TOO_GOOD, NOISE_CHANGE. One deviation is
// one flag at a time: while the curve is off, nothing else is said of it but that it became graver. Constant memory.
//
// Each point is held against the reference (reference.h), whose innovations, standardised by the noise that the run has
// shown, go to the tests. What a test finds is taken out of the reference, and an incident follows the curve from
// there.
class LossWatch {
 public:
  // `prior` outlives this.
  LossWatch(const Prior& prior, std::string metric, const Plan& plan);
  // How the curve's values read as a loss; Objective::Loss() unless it is said.
  void SetObjective(const Objective& objective) { objective_ = objective; }

  // What finished runs say of this curve, instead of what the prior says of all. From the next Relearn on, or the first
  // point. Null: nothing.
  void LeanOn(std::shared_ptr<const Belief> kin) { kin_ = std::move(kin); }

  // A point past all before it, of a loss > 0 as the law has it. `curve` holds it already, as it was logged.
  // `mean_points`: between two false alarms of all tests of the run.
  void Add(Step step, double loss, const Curve& curve, double mean_points, std::vector<FlagChange>& changes);
  // The plan changed, or points went: the reference is learned anew from the curve; the noise is kept.
  void Relearn(const Plan& plan, const Curve& curve);
  // What was raised at `from` or later lies on a branch that is no more.
  void Supersede(Step from, std::vector<FlagChange>& changes);
  // The run is over.
  void End(std::vector<FlagChange>& changes) {
    if (incident_) Close(Resolution::kEnded, changes);
  }

  // Enough of the run is known for flags; before that it says nothing.
  bool speaks() const { return speaks_; }
  // The curve lies above its reference, by a flag that is up.
  bool above() const { return incident_ && incident_->sign() > 0; }
  bool diverging() const { return incident_ && incident_->flag().kind == FlagKind::kDivergence; }
  // Of the mean of the newest points over the lowest level, log loss.
  double smooth_rise() const { return smooth_ - divergence_.lowest(); }
  double point_sd() const { return noise_.point_sd(); }
  std::optional<double> deviation_sigma() const { return deviation_; }
  std::optional<Flag> active() const { return incident_ ? std::optional(incident_->flag()) : std::nullopt; }

  template <class Archive>
  void Fields(Archive& archive) {
    archive(plan_, objective_, kin_);
    std::optional<Step> end;  // The track's own plan is this one with its end.
    if (track_ != nullptr) end = track_->plan().total_steps;
    archive(end);
    if constexpr (Archive::kReads) {
      Plan ended = plan_;
      ended.total_steps = end;
      track_ = end ? std::make_unique<FeatureTrack>(ended, *end) : nullptr;
    }
    if (track_ != nullptr) archive(*track_);
    archive(stray_, reference_, learning_, noise_known_, noise_, lessons_, lessons_next_, lessons_waiting_, before_);
    archive(newest_steps_, bank_, spike_test_, noise_change_, divergence_, incident_, deviation_, tested_, smooth_);
    archive(recent_rate_, rate_, mean_points_, tail_model_, log_above_, log_below_, log_noise_, speaks_);
  }

 private:
  static constexpr size_t kLearn = 12;  // Points by which the noise is first guessed.
  static constexpr size_t kLate = 8;    // Points after which one teaches the noise.
  struct Point {
    Step step = 0;
    double level = 0;  // Log loss.
    double share = 0, rate = 1;
    double stray = 0;  // How far a curve may lie off the law here.
    FeatureRow row;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(step, level, share, rate, stray, row);
    }
  };
  // One point held against the reference.
  struct Tested {
    Reference::Expected expected;
    double reference = 0;   // The law's curve there, before the point.
    double z = 0;           // Innovation over its standard deviation.
    double innovation = 0;  // Clipped.
    double noise = 0, total = 0, correlation = 0;
  };
  struct Lesson {
    double z = 0, noise_part = 1;
    bool flagged = false;

    template <class Archive>
    void Fields(Archive& archive) {
      archive(z, noise_part, flagged);
    }
  };

  void Begin(Step newest);
  Belief Expectation() const;
  double StrayAt(const FeatureTrack::Place& place) const;
  void LearnNoise();
  void TakeBins(const Curve& curve, Step before);
  void SetThresholds(double mean_points);
  Tested Test(const Point& point) const;
  void Take(const Point& point, const Tested& tested, bool flagged);
  void Teach(const Lesson& lesson);
  void Advance(const Point& point);
  void Judge(const Point& point, const Tested& tested, std::vector<FlagChange>& changes);
  void OpenSpike(const Point& point, const SpikeTest::Finding& found, std::vector<FlagChange>& changes);
  void OpenDivergence(const Point& point, double reference, std::vector<FlagChange>& changes);
  void OpenChange(const Point& point, ChangeBank::Side side, const ChangeBank::Finding& found,
                  std::vector<FlagChange>& changes);
  void TellNoise(const Point& point, const NoiseChange::Finding& found, std::vector<FlagChange>& changes);
  void Open(Incident::Opened opened, std::vector<FlagChange>& changes);
  void Follow(const Point& point, std::vector<FlagChange>& changes);
  void Replace(FlagKind kind, Severity severity, std::vector<FlagChange>& changes);
  void Close(Resolution resolution, std::vector<FlagChange>& changes);
  Severity GravityOf(FlagKind kind) const;
  Flag FlagOf(FlagKind kind, Step began, const Point& point) const;

  const Prior& prior_;
  const std::string metric_;
  Plan plan_;
  std::shared_ptr<const Belief> kin_;
  Objective objective_ = Objective::Loss();
  std::unique_ptr<FeatureTrack> track_;  // Null before the first point.
  double stray_ = 0;
  std::optional<Reference> reference_;
  std::vector<Point> learning_;  // Until there are kLearn.
  bool noise_known_ = false;
  Noise noise_{0.003, 1};
  std::array<Lesson, kLate> lessons_ = {};  // That wait.
  size_t lessons_next_ = 0, lessons_waiting_ = 0;
  std::optional<Point> before_;  // With its level as far as it is credible.
  std::array<Step, 3> newest_steps_ = {};

  ChangeBank bank_;
  SpikeTest spike_test_;
  NoiseChange noise_change_;
  Divergence divergence_;
  std::optional<Incident> incident_;
  std::optional<double> deviation_;
  int64_t tested_ = 0;      // Points.
  double smooth_ = 0;       // Mean of the newest levels ...
  double recent_rate_ = 1;  // ... and of some more rates.
  double rate_ = 1;         // At the newest point.

  double mean_points_ = 0;  // That the thresholds are set for, under this model of the tail.
  size_t tail_model_ = 0;
  double log_above_ = 0, log_below_ = 0, log_noise_ = 0;
  bool speaks_ = false;
};

}  // namespace curvecast
